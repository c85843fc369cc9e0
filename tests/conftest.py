"""What many tests share: visitors, and how long Hypothesis may look for trouble."""

import os
import signal
from collections import Counter
from typing import Any

import pytest
from hypothesis import settings as hypothesis

from tests.scheduling import pytest_collection_modifyitems, pytest_xdist_make_scheduler  # noqa: F401
from voice import database, live, turned_away
from voice.protocol.outcomes import EndReason

# A shell ignores Ctrl-C in what it starts in the background, and that is inherited: these tests stop servers by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.register_profile("checkout", deadline=None)
hypothesis.register_profile("ci", deadline=None, derandomize=True)
hypothesis.load_profile("ci" if os.environ.get("CI") else "checkout")


@pytest.fixture
def voice_on(settings: Any, db: None) -> None:
    """Both switches are on, the staff's because nobody has touched it."""
    settings.ENABLE_VOICE_REALTIME = True


@pytest.fixture(autouse=True)
def no_connection_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a thread would keep is in the way of whoever drops a database, or must not touch one."""
    monkeypatch.setattr(database, "KEPT_SECONDS", 0.0)


@pytest.fixture(autouse=True)
def nothing_decided() -> None:
    """What staff decided in the test before is not remembered."""
    live.forget()


@pytest.fixture(autouse=True)
def refusals(monkeypatch: pytest.MonkeyPatch) -> "Counter[EndReason]":
    """Who was turned away in this process, by reason: counted, and not written to the database behind a test."""
    counted: Counter[EndReason] = Counter()

    class Counting(turned_away.TurnedAway):
        def count(self, reason: EndReason) -> None:
            counted[reason] += 1

    monkeypatch.setattr(turned_away, "visitors", Counting(turned_away.write))
    return counted


@pytest.fixture
def visitor(django_user_model: Any, db: None) -> Any:
    """Somebody with an account."""
    return django_user_model.objects.create_user("visitor", password="visitor")


@pytest.fixture
def staff(django_user_model: Any, db: None) -> Any:
    """Somebody who may use the admin."""
    return django_user_model.objects.create_superuser("staff", password="staff")
