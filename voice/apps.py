"""The app's place in Django."""

from django.apps import AppConfig


class VoiceConfig(AppConfig):
    """``voice``, with its system checks and what it listens to."""

    name = "voice"
    verbose_name = "Voice"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Bind the system checks and the signals."""
        from . import checks, signals  # noqa: F401

        signals.connect()
