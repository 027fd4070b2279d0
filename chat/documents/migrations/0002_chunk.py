import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="piece", name="piece_once"),
        migrations.RenameModel(old_name="Piece", new_name="Chunk"),
        migrations.AlterField(
            model_name="chunk",
            name="analysis",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="chunks",
                to="documents.analysis",
            ),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.UniqueConstraint(fields=("analysis", "level", "start"), name="chunk_once"),
        ),
    ]
