import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

CONVERSATION = {
    "help_text": "The same for all sessions of a conversation that was interrupted: that of the first.",
    "verbose_name": "conversation",
    "editable": False,
}


def each_is_a_conversation_of_its_own(apps, schema_editor):
    """A default would be computed once, and be that of all rows."""
    sessions = apps.get_model("voice", "VoiceSession").objects.using(schema_editor.connection.alias)
    sessions.update(conversation_id=models.F("id"))


class Migration(migrations.Migration):

    dependencies = [
        ("voice", "0008_reconnects"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="voicesession",
            name="conversation_id",
            field=models.UUIDField(null=True, **CONVERSATION),
        ),
        migrations.RunPython(each_is_a_conversation_of_its_own, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="voicesession",
            name="conversation_id",
            field=models.UUIDField(default=uuid.uuid4, **CONVERSATION),
        ),
        migrations.AddField(
            model_name="voicesession",
            name="resumed_from",
            field=models.ForeignKey(
                blank=True,
                help_text="The session whose conversation the visitor came back to.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="voice.voicesession",
                verbose_name="continues",
            ),
        ),
        migrations.AddIndex(
            model_name="voicesession",
            index=models.Index(fields=["conversation_id"], name="voice_session_conversation"),
        ),
    ]
