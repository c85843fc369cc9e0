"""Errors to Sentry where ``SENTRY_DSN`` is set, metrics over OTLP where ``OTEL_EXPORTER_OTLP_ENDPOINT`` is.

Both need ``project/requirements-observability.txt``. Where that is not installed, a system check says so, and the site
works without.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Any

from django.conf import settings

from project.scrubbing import scrub
from voice import __version__

log = logging.getLogger("voice.observability")

Application = Callable[[Any, Any, Any], Awaitable[Any]]

REQUIREMENTS = "project/requirements-observability.txt"
_PACKAGES = {
    "SENTRY_DSN": ("sentry_sdk",),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
}


def missing(variable: str) -> list[str]:
    """The packages that ``variable`` asks for, and that are not installed."""
    return [name for name in _PACKAGES[variable] if not _installed(name)] if getattr(settings, variable) else []


def start() -> None:
    """Begin to report. Once in each process that serves."""
    for variable, begin in (("SENTRY_DSN", _report_errors), ("OTEL_EXPORTER_OTLP_ENDPOINT", _export_metrics)):
        if names := missing(variable):
            log.error("%s is set, but not installed: %s (pip install -r %s)", variable, ", ".join(names), REQUIREMENTS)
        elif getattr(settings, variable):
            begin()


def reported(application: Application) -> Application:
    """``application``, whose errors are reported with the request that they belong to.

    Inside of whatever takes the credentials out of the request: what is outside, an error report must not see.
    """
    if not settings.SENTRY_DSN or missing("SENTRY_DSN"):
        return application
    from sentry_sdk.integrations.asgi import SentryAsgiMiddleware

    wrapped: Application = SentryAsgiMiddleware(application)
    return wrapped


def _report_errors() -> None:
    import sentry_sdk
    from sentry_sdk.integrations.django import DjangoIntegration

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=f"voice@{__version__}",
        before_send=lambda event, hint: scrub(event),  # type: ignore[arg-type, return-value]
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        auto_session_tracking=False,
        auto_enabling_integrations=False,  # none that looks into a client of ours
        integrations=[DjangoIntegration(middleware_spans=False, signals_spans=False)],
    )


def _export_metrics() -> None:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.metrics import set_meter_provider
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource

    # The SDK reads the address, and all its other OTEL_ variables, from the environment by itself.
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "voice"}
    resource = Resource.create({**named, "service.version": __version__})
    set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource))


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of what contains it
        return False
