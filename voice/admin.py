"""What staff see: the switch and the knowledge, to edit; the records of conversations, to read."""

from __future__ import annotations

from django.contrib import admin

from voice.conf import conf
from voice.knowledge.admin import KnowledgeDocumentAdmin
from voice.live_admin import LiveSettingsAdmin
from voice.models import KnowledgeDocument, VoiceLiveSettings, VoiceSession, VoiceStatistics, VoiceTurn
from voice.records_admin import VoiceSessionAdmin, VoiceTurnAdmin
from voice.statistics_admin import StatisticsAdmin

admin.site.register(VoiceLiveSettings, LiveSettingsAdmin)
admin.site.register(VoiceSession, VoiceSessionAdmin)
admin.site.register(VoiceTurn, VoiceTurnAdmin)
admin.site.register(VoiceStatistics, StatisticsAdmin)


@admin.register(KnowledgeDocument)
class VoiceKnowledgeAdmin(KnowledgeDocumentAdmin):
    """The editor, which knows what this site searches."""

    def syncs(self) -> bool:
        """Where the backend is Weaviate."""
        return conf().knowledge.backend == "weaviate"
