"""Who gets in: each check, by what is left open."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.test import override_settings

from project import asgi
from tests.unit.checks.said import ids
from voice.checks import security

SHORT, LONG = "k" * 31, "k" * 64
REDIS = {
    "VOICE": {"PROVIDER": "local", "REDIS_URL": "redis://redis.example:6379/0", "RESUME": False},
    "CHANNEL_LAYERS": {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}},
}


def voice(**more: Any) -> dict[str, Any]:
    return {"PROVIDER": "local", **more}


def simplejwt(**more: Any) -> dict[str, Any]:
    return django_settings.SIMPLE_JWT | more


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"VOICE": voice(SIGNING_KEY=SHORT)}, "VOICE['SIGNING_KEY'] is shorter than the 32 bytes of HS256"),
        ({"VOICE": voice(SIGNING_KEY="é" * 15)}, "VOICE['SIGNING_KEY'] is shorter"),
        ({"VOICE": voice(SIGNING_KEY=django_settings.SECRET_KEY)}, "VOICE['SIGNING_KEY'] is the SECRET_KEY"),
        ({"SIMPLE_JWT": simplejwt(SIGNING_KEY=SHORT)}, "SIMPLE_JWT['SIGNING_KEY'] is shorter than the 32 bytes"),
        ({"SIMPLE_JWT": {}}, "SIMPLE_JWT['SIGNING_KEY'] is the SECRET_KEY"),
        ({"SIMPLE_JWT": simplejwt(SIGNING_KEY="k" * 63, ALGORITHM="HS512")}, "shorter than the 64 bytes of HS512"),
    ],
)
def test_w002_a_signing_key_that_is_short_or_not_its_own(keys: dict[str, Any], said: str) -> None:
    with override_settings(**({"VOICE": voice(SIGNING_KEY=LONG)} | keys)):
        (message,) = run_checks(tags=["voice"], include_deployment_checks=True)
    assert message.id == "voice.W002"
    assert said in message.msg


@pytest.mark.parametrize("algorithm", ["HS256", "HS512", "RS256"])
def test_long_keys_of_their_own_are_in_order(algorithm: str) -> None:
    with override_settings(
        VOICE=voice(SIGNING_KEY=LONG), SIMPLE_JWT=simplejwt(SIGNING_KEY=LONG[::-1] + "l", ALGORITHM=algorithm)
    ):
        assert ids(deploy=True) == []


def test_w007_every_host_is_allowed() -> None:
    with override_settings(VOICE=voice(), ALLOWED_HOSTS=["*"]):
        assert ids(deploy=True) == ["voice.W007"]
    with override_settings(VOICE=voice(), ALLOWED_HOSTS=[".example.org"]):
        assert ids(deploy=True) == []


@pytest.mark.parametrize("exempt", [[], [r"^healthz$"]])
def test_w008_who_asks_for_health_without_tls_is_redirected(exempt: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "get_default_application", lambda: asgi.pages)
    with override_settings(VOICE=voice(), SECURE_SSL_REDIRECT=True, SECURE_REDIRECT_EXEMPT=exempt):
        assert ids(deploy=True) == ["voice.W008"]
    with override_settings(VOICE=voice(), SECURE_SSL_REDIRECT=False, SECURE_REDIRECT_EXEMPT=exempt):
        assert ids(deploy=True) == []


def test_health_that_is_answered_before_any_middleware_needs_no_exemption() -> None:
    with override_settings(VOICE=voice(), SECURE_SSL_REDIRECT=True, SECURE_REDIRECT_EXEMPT=[]):
        assert ids(deploy=True) == []


@pytest.mark.parametrize("exempt", [[r"^v1/voice/health$"], [r"health"], [r"^admin", r"^v1/"]])
def test_an_exemption_that_covers_health_is_in_order(exempt: list[str]) -> None:
    with override_settings(VOICE=voice(), SECURE_SSL_REDIRECT=True, SECURE_REDIRECT_EXEMPT=exempt):
        assert ids(deploy=True) == []


@pytest.mark.parametrize(("minutes", "said"), [(61, ["voice.W009"]), (60, [])])
def test_w009_access_tokens_that_live_long(minutes: int, said: list[str]) -> None:
    lifetime = timedelta(minutes=minutes)
    with override_settings(VOICE=voice(), SIMPLE_JWT=simplejwt(ACCESS_TOKEN_LIFETIME=lifetime)):
        assert ids(deploy=True) == said


@pytest.mark.parametrize("leeway", [0, timedelta(0)])
def test_w010_clocks_that_may_not_differ(leeway: Any) -> None:
    with override_settings(**REDIS, SIMPLE_JWT=simplejwt(LEEWAY=leeway)):
        assert ids(deploy=True) == ["voice.W010"]
    with override_settings(**REDIS, SIMPLE_JWT=simplejwt(LEEWAY=10)):
        assert ids(deploy=True) == []


def test_one_machine_has_one_clock() -> None:
    with override_settings(VOICE=voice(), SIMPLE_JWT=simplejwt(LEEWAY=0)):
        assert ids(deploy=True) == []


def test_w011_behind_a_proxy_all_visitors_have_one_address() -> None:
    behind = {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}
    with override_settings(VOICE=voice(), **behind):
        assert ids(deploy=True) == ["voice.W011"]
    with override_settings(VOICE=voice(TRUSTED_PROXIES=1), **behind):
        assert ids(deploy=True) == []


@pytest.mark.parametrize("proxies", [-1, 11, True, "1"])
def test_e001_a_number_of_proxies_that_cannot_be(proxies: Any) -> None:
    with override_settings(VOICE=voice(TRUSTED_PROXIES=proxies)):
        assert ids() == ["voice.E001"]
