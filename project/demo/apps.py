"""The demonstration site's place in Django."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Pages, and the command that starts them."""

    name = "project.demo"
    label = "demo"
    verbose_name = "Vélo Rivage"
