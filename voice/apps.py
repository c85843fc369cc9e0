"""The app's place in Django."""

from django.apps import AppConfig


class VoiceConfig(AppConfig):
    """``voice``, with its system checks."""

    name = "voice"
    verbose_name = "Voice"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Bind the system checks."""
        from . import checks  # noqa: F401
