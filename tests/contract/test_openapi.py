"""The endpoints are as ``voice/docs/openapi.yaml`` says, whatever they are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import ignored_auth

from voice import token_views, views
from voice.admission.throttle import Throttle
from voice.tokens import access_token

DESCRIPTION = Path(django_settings.BASE_DIR) / "voice/docs/openapi.yaml"
EXAMPLES = 10
"""Of each operation and of each who asks; a run takes some seconds."""

pytestmark = pytest.mark.django_db(transaction=True)

schema = schemathesis.openapi.from_path(DESCRIPTION)
operations = [result.ok() for result in schema.get_all_operations()]


@pytest.fixture(autouse=True)
def nobody_waits(voice_on: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((views, "minting"), (token_views, "by_address"), (token_views, "by_name")):
        monkeypatch.setattr(module, name, Throttle(limit=10_000, seconds=60))


@pytest.fixture(params=["nobody", "staff", "a program", "switched off"])
def asker(request: Any, staff: User, client: Any, settings: Any) -> dict[str, Any]:
    """Who asks, as what each request of theirs brings along."""
    settings.ENABLE_VOICE_REALTIME = request.param != "switched off"
    settings.ALLOWED_HOSTS = ["localhost"]  # the only host that schemathesis has cookies for
    if request.param == "a program":
        return {"headers": {"Authorization": f"Bearer {access_token(staff)}"}}
    if request.param != "staff":
        return {}
    client.force_login(staff)
    cookies = {"sessionid": client.cookies["sessionid"].value, "csrftoken": "c" * 32}
    return {"cookies": cookies, "headers": {"X-CSRFToken": "c" * 32}}


@pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.label)
def test_each_answer_is_one_that_is_described(operation: Any, asker: dict[str, Any]) -> None:
    @given(case=operation.as_strategy())
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        asked(case, asker)

    ask()


@pytest.mark.parametrize("asker", ["staff"], indirect=True)
def test_who_asks_well_gets_what_is_described(visitor: User, asker: dict[str, Any]) -> None:
    tokens = asked(schema["/token/"]["POST"].Case(body={"username": "visitor", "password": "visitor"}), {})
    renewed = asked(schema["/token/refresh/"]["POST"].Case(body={"refresh": tokens["refresh"]}), {})
    assert renewed["access"]
    assert asked(schema["/voice/ticket"]["POST"].Case(), asker)["ticket"]
    assert asked(schema["/voice/stats"]["GET"].Case(query={"hours": 744}), asker)["window"]["hours"] == 744
    assert asked(schema["/voice/health"]["GET"].Case(query={"probe": "ready"}), asker)["checks"]["database"]["ok"]


def asked(case: Any, asker: dict[str, Any]) -> Any:
    """What is answered, once it is known to be as described."""
    # It takes any credential that it did not make up itself for one that should be refused.
    response = case.call_and_validate(
        app=get_wsgi_application(), base_url="http://localhost/v1", **asker, excluded_checks=[ignored_auth]
    )
    return response.json()
