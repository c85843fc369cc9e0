"""What is wrong with the environment, as far as Django starts all the same."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, register

from project.observability import REQUIREMENTS, missing


@register("project")
def check_observability(**_: Any) -> list[CheckMessage]:
    """What a variable asks for is installed."""
    return [
        Error(
            f"{variable} is set, and these packages are not installed: {', '.join(names)}.",
            hint=f"pip install -r {REQUIREMENTS}, or leave {variable} empty.",
            id="project.E001",
        )
        for variable in ("SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT")
        if (names := missing(variable))
    ]
