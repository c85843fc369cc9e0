"""The project's place in Django: its system checks."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """No models and no pages; these are the demonstration site's."""

    name = "project"
    verbose_name = "Project"

    def ready(self) -> None:
        """Bind the system checks."""
        from project import checks  # noqa: F401
