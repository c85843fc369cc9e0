"""VOICE is laid over typed defaults; whatever is wrong with it is named."""

from dataclasses import dataclass, field, fields
from typing import Any, Literal

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from voice.conf import VoiceSettings, conf, enabled, problems
from voice.options import fits, read


def test_a_site_without_voice_gets_every_default(settings: Any) -> None:
    del settings.VOICE
    assert conf().languages == ("en", "fr")
    assert conf().retrieval == "prefetch"
    assert conf().prefetch.first_words == 5
    assert conf().limits.sessions_per_user_per_hour == 5


def test_what_the_site_says_is_laid_over_the_defaults() -> None:
    with override_settings(VOICE={"LANGUAGES": ["fr"], "PREFETCH": {"first_words": 3}}):
        assert conf().languages == ("fr",)
        assert (conf().prefetch.first_words, conf().prefetch.more_words) == (3, 6)


def test_a_changed_setting_is_seen_at_once() -> None:
    with override_settings(VOICE={"TICKET_SECONDS": 10}):
        assert conf().ticket_seconds == 10
    assert conf().ticket_seconds == 30


@pytest.mark.parametrize(
    ("voice", "provider"),
    [
        ({}, "local"),
        ({"PROVIDER": None}, "local"),
        ({"OPENAI": {"api_key": "k"}}, "openai"),
        ({"PROVIDER": "local", "OPENAI": {"api_key": "k"}}, "local"),
    ],
)
def test_the_provider_is_the_chosen_one_else_openai_where_there_is_a_key(voice: Any, provider: str) -> None:
    with override_settings(VOICE=voice):
        assert conf().provider == provider


def test_the_signing_key_and_the_login_page_are_those_of_the_site(settings: Any) -> None:
    assert conf().signing_key == settings.SIMPLE_JWT["SIGNING_KEY"]
    assert conf().login_url == settings.LOGIN_URL


@pytest.mark.parametrize(
    ("voice", "named"),
    [
        ({"PROVIDR": "local"}, "VOICE['PROVIDR'] is unknown; known are PROVIDER,"),
        ({"provider": "local"}, "VOICE['provider'] is unknown"),
        ({"OPENAI": {"apikey": "sk-x"}}, "VOICE['OPENAI']['apikey'] is unknown; known are api_key,"),
        ({"PROVIDER": "azure"}, "VOICE['PROVIDER'] must be one of 'local', 'openai' or None."),
        ({"TICKET_SECONDS": "30"}, "VOICE['TICKET_SECONDS'] must be int."),
        ({"TICKET_SECONDS": True}, "VOICE['TICKET_SECONDS'] must be int."),
        ({"LANGUAGES": "en"}, "VOICE['LANGUAGES'] must be tuple[str, ...]."),
        ({"LIMITS": {"sessions_per_user": 1.5}}, "VOICE['LIMITS']['sessions_per_user'] must be int"),
        ({"LIMITS": 5}, "VOICE['LIMITS'] must be a dict, not int."),
        ({"LANGUAGES": []}, "VOICE: LANGUAGES names no language."),
        ({"TICKET_SECONDS": 0}, "VOICE: TICKET_SECONDS must be from 1 to 300."),
        ({"TRUSTED_PROXIES": -1}, "VOICE: TRUSTED_PROXIES must be from 0 to 10."),
        ({"ORIGINS": ["https://a.example/x"]}, "'https://a.example/x'"),
        ({"REDIS_URL": "localhost:6379"}, "VOICE: REDIS_URL must begin with redis://, rediss:// or unix://."),
        ({"OPENAI": {"base_url": "nowhere"}}, "VOICE['OPENAI']: base_url must be"),
        ([], "VOICE must be a dict, not list."),
    ],
)
def test_a_mistake_is_named_by_its_key(voice: Any, named: str) -> None:
    with override_settings(VOICE=voice):
        assert [problem for problem in problems() if named in problem]
        with pytest.raises(ImproperlyConfigured, match="VOICE"):
            conf()


def test_all_mistakes_are_named_together() -> None:
    with override_settings(VOICE={"A": 1, "OPENAI": {"b": 2}, "LOCAL": {"c": 3}}):
        assert len(problems()) == 3


def test_a_mistake_is_named_without_the_value_which_may_be_secret() -> None:
    with override_settings(VOICE={"OPENAI": {"api_key": ["sk-secret"]}, "SIGNING_KEY": {"sk-secret"}}):
        assert len(problems()) == 2
        assert "sk-secret" not in str(problems())


def test_no_secret_is_shown_with_the_settings() -> None:
    secrets = {"OPENAI": {"api_key": "sk-secret"}, "SIGNING_KEY": "sk-secret", "REDIS_URL": "redis://:sk-secret@redis"}
    with override_settings(VOICE=secrets):
        assert "sk-secret" not in repr(conf())


def test_each_key_of_the_settings_is_spelt_as_its_field() -> None:
    """Every field is reachable by its name in capitals, and nothing else is."""
    with override_settings(VOICE={"NONE": 0}):
        (problem,) = problems()
    assert all(each.name.upper() in problem for each in fields(VoiceSettings))


@pytest.mark.parametrize(("switch", "on"), [(True, True), (False, False), ("true", False), (1, False), (None, False)])
def test_only_true_switches_on(settings: Any, switch: Any, on: bool) -> None:
    settings.ENABLE_VOICE_REALTIME = switch
    assert enabled() is on


def test_without_the_master_switch_it_is_off(settings: Any) -> None:
    del settings.ENABLE_VOICE_REALTIME
    assert not enabled()


@pytest.mark.parametrize(
    ("value", "kind", "good"),
    [
        (1, int, True),
        (True, int, False),
        (1, float, True),
        (True, float, False),
        (True, bool, True),
        (1, bool, False),
        (None, int | None, True),
        ("", int | None, False),
        ("a", Literal["a", "b"], True),
        ("c", Literal["a", "b"], False),
        (["a"], tuple[str, ...], True),
        (("a", 1), tuple[str, ...], False),
        ("a", tuple[str, ...], False),
    ],
)
def test_fits(value: object, kind: Any, good: bool) -> None:
    assert fits(value, kind) is good


@dataclass(frozen=True)
class Inner:
    size: int = 1


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    names: tuple[str, ...] = ()


def test_dataclasses_inside_are_read_from_dicts_and_tuples_from_lists() -> None:
    wrong: list[str] = []
    assert read(Outer, {"inner": {"size": 2}, "names": ["a"]}, "OUTER", wrong) == Outer(Inner(2), ("a",))
    assert not wrong


def test_a_mistake_inside_leaves_nothing_half_read() -> None:
    wrong: list[str] = []
    assert read(Outer, {"inner": {"size": "2"}}, "OUTER", wrong) is None
    assert wrong == ["OUTER['inner']['size'] must be int."]
