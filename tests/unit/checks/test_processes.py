"""How processes count together: each check, by what is not shared."""

from typing import Any

import pytest
from django.test import override_settings

from tests.unit.checks.said import ids
from voice.checks import processes

REDIS = "redis://redis.example:6379/0"
KEY = "A" * 43 + "="
IN_MEMORY = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
ON_LISTS = "channels_redis.core.RedisChannelLayer"


def on_redis(*hosts: Any, backend: str = "channels_redis.pubsub.RedisPubSubChannelLayer") -> dict[str, Any]:
    return {"default": {"BACKEND": backend, "CONFIG": {"hosts": [*hosts]}}}


def of(layers: dict[str, Any], redis_url: str = "", *, deploy: bool = True) -> list[str]:
    voice = {"PROVIDER": "local", "REDIS_URL": redis_url, "RESUME_KEYS": [KEY]}
    with override_settings(VOICE=voice, CHANNEL_LAYERS=layers):
        return ids(deploy=deploy)


@pytest.fixture(autouse=True)
def processes_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the environment."""
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)


@pytest.mark.parametrize("layers", [IN_MEMORY, {}])
def test_w004_a_layer_in_memory_beside_limits_on_redis(layers: dict[str, Any]) -> None:
    assert of(layers, REDIS) == ["voice.W004"]
    assert of(layers, REDIS, deploy=False) == []


def test_w005_a_layer_on_redis_beside_limits_in_memory() -> None:
    assert of(on_redis(REDIS)) == ["voice.W005"]
    assert of(on_redis(REDIS), deploy=False) == []


def test_both_on_redis_or_both_in_memory_is_in_order() -> None:
    assert of(on_redis(REDIS), REDIS) == []
    assert of(IN_MEMORY) == []


def test_w013_redis_and_nothing_to_seal_conversations_with() -> None:
    def of(**voice: Any) -> list[str]:
        with override_settings(VOICE={"PROVIDER": "local", **voice}, CHANNEL_LAYERS=on_redis(REDIS)):
            return [one for one in ids(deploy=True) if one == "voice.W013"]

    assert of(REDIS_URL=REDIS) == ["voice.W013"]
    assert of(REDIS_URL=REDIS, RESUME_KEYS=[KEY]) == of(REDIS_URL=REDIS, RESUME=False) == of() == []


def test_a_layer_of_the_sites_own_is_not_judged() -> None:
    own = {"default": {"BACKEND": "site.layers.Own"}}
    assert of(own, REDIS) == of(own) == []


@pytest.mark.parametrize(("wanted", "said"), [("4", ["voice.W006"]), ("1", []), ("", []), ("many", [])])
def test_w006_several_processes_that_share_nothing(wanted: str, said: list[str], monkeypatch: Any) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", wanted)
    assert of(IN_MEMORY) == said
    assert of(on_redis(REDIS), REDIS) == []


class TestE014ALayerThatTakesASilenceForAFault:
    @pytest.fixture(autouse=True)
    def newest_redis_py(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "version", lambda package: "8.1.0")

    @pytest.mark.parametrize(
        "hosts",
        [
            (),
            (REDIS,),
            (("redis.example", 6379),),
            ({"address": REDIS},),
            ({"address": REDIS, "socket_timeout": 5},),
            ({"address": REDIS, "socket_timeout": None}, REDIS),
        ],
    )
    def test_with_redis_py_8_and_its_own_time_limit(self, hosts: tuple[Any, ...]) -> None:
        assert of(on_redis(*hosts, backend=ON_LISTS), REDIS, deploy=False) == ["voice.E014"]

    @pytest.mark.parametrize("limit", [None, 30])
    def test_but_not_with_a_longer_one_or_none(self, limit: int | None) -> None:
        hosts = {"address": REDIS, "socket_timeout": limit}
        assert of(on_redis(hosts, backend=ON_LISTS), REDIS, deploy=False) == []

    def test_nor_with_the_layer_that_publishes_and_subscribes(self) -> None:
        assert of(on_redis(REDIS), REDIS, deploy=False) == []

    def test_nor_with_redis_py_7(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "version", lambda package: "7.4.1")
        assert of(on_redis(REDIS, backend=ON_LISTS), REDIS, deploy=False) == []
