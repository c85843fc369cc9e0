"""What the tests of the checks share."""

import pytest

from voice.checks import configuration


@pytest.fixture(autouse=True)
def local_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of the local provider's packages are installed, whatever is here."""
    monkeypatch.setattr(configuration, "find_spec", lambda name: object())
