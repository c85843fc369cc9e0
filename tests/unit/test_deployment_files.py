"""The files in ``project/deploy/``: their own programs' checkers accept them, and they say what the documents say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from project.settings import env
from tests import nginx
from voice.conf import VoiceSettings

ROOT = Path(settings.BASE_DIR)
DEPLOY = ROOT / "project/deploy"
UNITS = sorted(path.name for path in (DEPLOY / "systemd").iterdir())
KILL_SECONDS = VoiceSettings().drain.seconds + 10
"""How long a process may take to end: what it gives its conversations, and its own limit beyond that."""
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "POSTGRES_PASSWORD"}
"""Variables that no setting is read from."""


def program(name: str) -> str:
    """Its path. Skips the test where it is not there."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def accepted(*command: str) -> str:
    """What a checker says, which must end well."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def document(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    assert "warn" not in accepted(*nginx.command(tmp_path, 8443, 8080, {}), "-t")


def test_nginx_writes_no_query_string() -> None:
    ours = (DEPLOY / "nginx.conf").read_text()
    for variable in ("$request ", '$request"', "$args", "$query_string"):
        assert variable not in ours
    assert ours.count("$request_uri") == 1  # in the redirect to TLS
    assert [*re.findall(r"error_log \S+ (\w+);", ours)] == ["crit", "crit"]
    assert len(re.findall(r"access_log \S+ voice;", ours)) == 2


def test_haproxy_accepts_its_configuration() -> None:
    assert "WARNING" not in accepted(program("haproxy"), "-c", "-f", str(DEPLOY / "haproxy.cfg"))


def test_haproxy_asks_each_sentinel_about_each_redis() -> None:
    backends = (DEPLOY / "haproxy.cfg").read_text().rstrip().split("\n\nbackend ")[1:]
    assert len(backends) == 3
    for n, backend in enumerate(backends, 1):
        address = f"10.0.0.{n}"
        servers = re.findall(r"server named-by-(\d) (\S+):6379 addr (\S+) port 26379", backend)
        assert servers == [(str(by), address, f"10.0.0.{by}") for by in (1, 2, 3)]
        asked = backend.partition("    server")[0]
        assert (
            asked.replace(address, "10.0.0.1").replace(f"redis-{n}", "redis-1")
            == backends[0].partition("    server")[0]
        )
        assert f"string \\r\\n{address}\\r\\n" in asked
        assert f"connect addr {address} port 6379" in asked


@pytest.mark.parametrize("name", UNITS)
def test_systemd_accepts_its_units(name: str, tmp_path: Path) -> None:
    checker = program("systemd-analyze")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to("/bin/true")
    for unit in UNITS:
        text = (DEPLOY / "systemd" / unit).read_text().replace("/srv/site", str(tmp_path))
        (tmp_path / unit.replace("@", "@1")).write_text(text)
    assert accepted(checker, "verify", str(tmp_path / name.replace("@", "@1"))) == ""


def test_every_process_is_given_the_time_that_it_may_take() -> None:
    unit = (DEPLOY / "systemd/voice@.service").read_text()
    services = document("compose.yaml")["services"]
    service = document("app-platform.yaml")["services"][0]
    given = [
        int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0]),
        *(int(services[name]["stop_grace_period"].rstrip("s")) for name in ("web-1", "web-2")),
        service["termination"]["grace_period_seconds"],
    ]
    assert all(seconds > KILL_SECONDS for seconds in given)


def test_whatever_is_run_is_a_command_of_this_project() -> None:
    commands = {path.stem for path in (ROOT / "voice/management/commands").glob("voice_*.py")} | {
        "migrate",
        "collectstatic",
    }
    texts = [path.read_text() for path in DEPLOY.rglob("*") if path.is_file()]
    run = {name for text in texts for name in re.findall(r'manage\.py"?,? "?(\w+)', text)}
    assert {"voice_serve", "voice_reap", "voice_purge", "migrate", "collectstatic"} <= run <= commands


def test_every_variable_is_one_of_the_settings() -> None:
    app, compose = document("app-platform.yaml"), document("compose.yaml")
    named = {variable["key"] for variable in app["envs"]} | {*compose["services"]["migrate"]["environment"]}
    named |= {*re.findall(r"\b((?:VOICE|DJANGO)_[A-Z_]+)=", (DEPLOY / "Containerfile").read_text())}
    assert named - NOT_OURS <= {*env.dump()}


def test_the_image_s_user_joins_the_group_that_debian_has() -> None:
    """``useradd`` makes a group of the user's name, and refuses where there is one: ``voice`` is Debian's own."""
    (command,) = re.findall(r"^RUN (useradd .*?) &&", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    assert command.split()[-1] == "voice"
    assert "--gid voice" in command


def test_the_builder_is_given_what_it_copies_and_nothing_else() -> None:
    containerfile = (DEPLOY / "Containerfile").read_text()
    copied = {word for line in re.findall(r"^COPY (.*) \S+$", containerfile, re.MULTILINE) for word in line.split()}
    everything, *lines = (DEPLOY / "Containerfile.dockerignore").read_text().splitlines()[1:]
    assert everything == "*"
    assert {line.removeprefix("!") for line in lines if line.startswith("!")} == {
        word.partition("/")[0] for word in copied
    }
    assert all(any(ROOT.glob(word)) for word in copied)


# -- compose --------------------------------------------------------------------------------------------------------

SERVICE_KEYS = {
    "image", "build", "command", "env_file", "environment", "volumes", "restart", "stop_grace_period", "depends_on",
    "healthcheck", "ports", "profiles", "cap_drop", "security_opt", "logging", "init",
    "read_only", "tmpfs",
}  # fmt: skip
"""Those that are used, of https://docs.docker.com/reference/compose-file/services/."""


def test_compose_has_documented_keys_only_and_what_it_names_is_there() -> None:
    compose = document("compose.yaml")
    services, volumes = compose["services"], compose["volumes"]
    assert {*compose} == {"name", "x-web", "services", "volumes"}
    for name, service in services.items():
        assert {*service} <= SERVICE_KEYS, name
        assert {*service.get("depends_on", ())} <= {*services}, name
        assert {volume.partition(":")[0] for volume in service.get("volumes", ())} <= {*volumes}, name
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], other
    build = services["migrate"]["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()


def test_a_process_can_be_stopped_before_it_listens() -> None:
    """Of the first process in a container the kernel ignores what it does not handle yet."""
    services = document("compose.yaml")["services"]
    assert {name for name, service in services.items() if service["image"] == "voice"} == {"web-1", "web-2", "migrate"}
    assert all(service["init"] for service in services.values() if service["image"] == "voice")


def test_redis_forgets_nothing() -> None:
    command = document("compose.yaml")["services"]["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"


def test_nothing_is_served_before_the_database_is_migrated() -> None:
    services = document("compose.yaml")["services"]
    for name in ("web-1", "web-2"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert [job["kind"] for job in document("app-platform.yaml")["jobs"]] == ["PRE_DEPLOY"]


# -- App Platform ---------------------------------------------------------------------------------------------------

PROBE = dict.fromkeys(
    ["initial_delay_seconds", "period_seconds", "timeout_seconds", "success_threshold", "failure_threshold"], int
) | {"http_path": str}
SOURCE = {"repo": str, "branch": str, "deploy_on_push": bool}
VARIABLE = {"key": str, "value": str, "scope": str, "type": str}
COMPONENT = {
    "name": str, "github": SOURCE, "dockerfile_path": str, "source_dir": str, "run_command": str, "envs": [VARIABLE],
    "instance_count": int, "instance_size_slug": str,
}  # fmt: skip
APP = {
    "name": str,
    "region": str,
    "envs": [VARIABLE],
    "services": [
        COMPONENT
        | {
            "http_port": int,
            "health_check": PROBE,
            "liveness_health_check": PROBE,
            "termination": {"drain_seconds": int, "grace_period_seconds": int},
        }
    ],
    "jobs": [COMPONENT | {"kind": str}],
    "databases": [{"name": str, "engine": str, "version": str, "production": bool, "cluster_name": str}],
    "ingress": {"rules": [{"match": {"path": {"prefix": str}}, "component": {"name": str}}]},
}
"""Keys and types, of https://docs.digitalocean.com/products/app-platform/reference/app-spec/ (read on 2026-11-28)."""


def strangers(given: Any, known: Any, at: str = "") -> list[str]:
    """Where ``given`` has a key or a type that is not among those ``known``."""
    if isinstance(known, type):
        return [] if type(given) is known else [at]
    if isinstance(known, list):
        return [found for n, one in enumerate(given) for found in strangers(one, known[0], f"{at}[{n}]")]
    return [
        found
        for key, value in given.items()
        for found in (strangers(value, known[key], f"{at}.{key}") if key in known else [f"{at}.{key}"])
    ]


def test_app_platform_knows_every_key() -> None:
    app = document("app-platform.yaml")
    assert strangers(app, APP) == []
    assert strangers(app | {"nginx": 1, "region": 1}, APP) == [".region", ".nginx"]
    names = [part["name"] for kind in ("services", "jobs", "databases") for part in app[kind]]
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", name) for name in [app["name"], *names])
    assert {name for value in app["envs"] for name in re.findall(r"\$\{(\w+)\.", value["value"])} <= {*names}
    assert {value["scope"] for value in app["envs"]} == {"RUN_TIME"}
    assert {value.get("type", "GENERAL") for value in app["envs"]} <= {"GENERAL", "SECRET"}
    assert 0 < app["services"][0]["termination"]["drain_seconds"] <= 110
    assert 0 < app["services"][0]["termination"]["grace_period_seconds"] <= 600


def test_app_platform_asks_readiness_and_liveness_apart() -> None:
    service = document("app-platform.yaml")["services"][0]
    assert service["health_check"]["http_path"] == "/v1/voice/health?probe=ready"
    assert service["liveness_health_check"]["http_path"] == "/v1/voice/health"


def test_what_nobody_has_tried_says_so() -> None:
    assert "Untried" in (DEPLOY / "app-platform.yaml").read_text().partition("\nname:")[0]


def test_every_migration_can_be_undone(tmp_path: Path) -> None:
    """So the release before can come back."""
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path}/undone.sqlite3", "DJANGO_DEBUG": "true"}

    def migrate(*to: str) -> str:
        command = [sys.executable, "manage.py", "migrate", "--no-input", *to]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    migrate()
    said = migrate("voice", "zero")
    written = {path.stem for path in (ROOT / "voice/migrations").glob("0*.py")}
    assert {*re.findall(r"Unapplying voice\.(\w+)\.\.\. OK", said)} == written
