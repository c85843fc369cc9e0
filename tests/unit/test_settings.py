"""A server starts with what its environment says, and with nothing less; a checkout starts with nothing."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings

from project.csp import ContentSecurityPolicyMiddleware
from project.keys import checkout_key
from project.settings import env

ROOT = Path(settings.BASE_DIR)
SERVER = {
    "DJANGO_SECRET_KEY": "only-good-for-tests-because-everybody-can-read-it-0123456789",
    "JWT_SIGNING_KEY": "another-one-that-is-only-good-for-tests",
    "DJANGO_ALLOWED_HOSTS": "www.example.org",
    "OPENAI_API_KEY": "only-good-for-tests",
}
LARGE = {
    "DJANGO_BEHIND_PROXY": "true",
    "VOICE_TRUSTED_PROXIES": "1",
    "WEB_CONCURRENCY": "4",
    "REDIS_URL": "redis://redis.example:6379/1",
    "VOICE_RESUME_KEYS": "onlyGoodForTestsBecauseEverybodyCanReadIt00=",
    "ENABLE_VOICE_REALTIME": "true",
    "VOICE_ORIGINS": "https://shop.example.org",
    "WEAVIATE_URL": "https://site.weaviate.cloud",
    "WEAVIATE_API_KEY": "only-good-for-tests",
}
"""Several processes behind a proxy, with services of their own."""
CHECK = "execute_from_command_line(['manage.py', 'check', '--deploy', '--fail-level', 'WARNING'])"
ALONE = """
import os, pathlib, sys, project
project.ENVIRONMENT_FILE, project.DATA = pathlib.Path(os.devnull), pathlib.Path(sys.argv.pop(1))
from django.conf import settings
from django.core.management import execute_from_command_line
"""


@pytest.fixture
def python(tmp_path: Path):
    """Runs a piece of code in a process that knows nothing of this machine but some variables."""

    def run(code: str, *arguments: str, module: str = "project.settings", **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", ALONE + code, str(tmp_path), *arguments],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": module, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    return run


def test_a_server_says_all_that_is_missing_at_once(python) -> None:
    said = python("settings.DEBUG")
    assert "ImproperlyConfigured" in said
    assert all(f"{name}: Environment variable not set." in said for name in [*SERVER][:3])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"DJANGO_SECRET_KEY": "short"}, "DJANGO_SECRET_KEY: Shorter than minimum length 50."),
        ({"JWT_SIGNING_KEY": "short"}, "JWT_SIGNING_KEY: Shorter than minimum length 32."),
        ({"ENABLE_VOICE_REALTIME": "perhaps"}, "ENABLE_VOICE_REALTIME: Not a valid boolean."),
        ({"VOICE_PROVIDER": "azure"}, "VOICE_PROVIDER: Must be one of: "),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL: Not a valid database URL."),
    ],
)
def test_a_server_refuses_a_variable_that_it_does_not_understand(python, wrong: dict[str, str], said: str) -> None:
    assert said in python("settings.DEBUG", **(SERVER | wrong))


def test_a_server_has_nothing_to_warn_of(python) -> None:
    assert "no issues" in python(CHECK, **SERVER)
    assert "no issues (0 silenced)" in python(CHECK, DJANGO_HSTS_SUBDOMAINS="true", **SERVER)


def test_nor_has_the_example_with_its_keys_filled_in(python) -> None:
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert "no issues" in python(CHECK, **(example | SERVER))


def test_nor_has_one_that_is_switched_on_with_all_that_it_may_have(python) -> None:
    assert "no issues" in python(CHECK, **(SERVER | LARGE))


@pytest.mark.parametrize("name", ["DJANGO_SECRET_KEY", "JWT_SIGNING_KEY", "DJANGO_ALLOWED_HOSTS"])
def test_a_server_names_the_variable_without_which_it_does_not_start(python, name: str) -> None:
    assert f"{name}: Environment variable not set." in python(CHECK, **_without(name, SERVER | LARGE))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("OPENAI_API_KEY", "voice.W001"),
        ("REDIS_URL", "voice.W006"),
        ("VOICE_TRUSTED_PROXIES", "voice.W011"),
        ("VOICE_RESUME_KEYS", "voice.W013"),
        ("WEAVIATE_URL", "voice.E006"),
    ],
)
def test_a_server_is_told_which_variable_is_missing_beside_the_others(python, name: str, said: str) -> None:
    answer = python(CHECK, **_without(name, SERVER | LARGE))
    assert re.findall(r"voice\.[EW]\d+", answer) == [said]
    assert name in answer


def _without(name: str, environment: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in environment.items() if key != name}


def test_the_switch_is_off_unless_the_environment_turns_it_on(python) -> None:
    assert "False" in python("print(settings.ENABLE_VOICE_REALTIME)", **SERVER)
    assert "True" in python("print(settings.ENABLE_VOICE_REALTIME)", ENABLE_VOICE_REALTIME="true", **SERVER)


def test_with_redis_the_processes_share_layer_and_cache(python) -> None:
    code = "print(settings.CHANNEL_LAYERS['default'], settings.CACHES['default'])"
    said = python(code, REDIS_URL="redis://redis.example:6379/1", **SERVER)
    assert "channels_redis.pubsub" in said
    assert "'socket_timeout': None" in said
    assert said.count("redis://redis.example:6379/1") == 2


def test_a_checkout_needs_no_variable(python) -> None:
    assert "True" in python("print(settings.DEBUG)", module="project.development")


def test_a_key_of_its_own_makes_a_checkout_a_server(python) -> None:
    assert "False" in python("print(settings.DEBUG)", module="project.development", **SERVER)


def test_every_variable_is_in_the_example_and_no_other() -> None:
    listed = re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(env.dump())


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "key"
    key = checkout_key(path)
    assert len(key) > 50
    assert checkout_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [*path.parent.iterdir()] == [path]


def policy(status: int = 200, *, secure: bool = False) -> str:
    """The policy that a response with this status is sent with."""

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(status=status)

    request = RequestFactory().get("/", secure=secure)
    response = ContentSecurityPolicyMiddleware(view)(request)
    assert isinstance(response, HttpResponse)
    return response.headers.get("Content-Security-Policy", "")


def test_a_page_may_load_its_own_files_only_and_nothing_inline() -> None:
    assert "default-src 'self'" in policy()
    assert "object-src 'none'" in policy()
    assert "unsafe" not in policy()


def test_a_page_may_open_its_own_socket() -> None:
    assert "connect-src 'self' ws://testserver;" in policy()
    assert "connect-src 'self' wss://testserver;" in policy(secure=True)


def test_only_djangos_own_error_pages_for_developers_go_without() -> None:
    with override_settings(DEBUG=True):
        assert policy(500) == ""
    assert policy(500) != ""


async def test_the_policy_is_there_under_asgi_too() -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    response = await ContentSecurityPolicyMiddleware(view)(RequestFactory().get("/"))
    assert "Content-Security-Policy" in response.headers
    assert "microphone=(self)" in response.headers["Permissions-Policy"]
