from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("chat", "0002_summaries_and_attachments")]

    operations = [
        migrations.RenameField("thread", "title_is_own", "has_custom_title"),
        migrations.RenameField("thread", "summary_to", "summarized_through"),
        migrations.AlterModelOptions(
            name="message",
            options={
                "ordering": ["id"],
                "permissions": [("view_message_content", "Can read messages of visitors and companions")],
            },
        ),
    ]
