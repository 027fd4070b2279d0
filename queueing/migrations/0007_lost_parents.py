"""A job may be deleted while others wait for it: the row of the link stays, and says what they waited for."""

from django.db import migrations, models

import queueing.models


class Migration(migrations.Migration):
    dependencies = [
        ("queueing", "0006_kind_version"),
    ]

    operations = [
        migrations.AlterField(
            model_name="dependency",
            name="parent",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=queueing.models.delete_links_of_finished_parents,
                related_name="dependents",
                to="queueing.job",
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("unfinished_parents__gt", 0)), fields=["id"], name="job_has_parents"
            ),
        ),
    ]
