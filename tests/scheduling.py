"""Who runs what when tests run side by side: a file is one worker's, and what takes long begins first."""

from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

SITES_OF_THEIR_OWN = {"tests/browser/test_coming_back.py", "tests/browser/test_statistics.py"}
"""All other files with a browser share one site, which takes a quarter of a minute to start: they are one worker's."""
ORDER = ("the shared site", "integration", "browser", "contract", "unit")


class Scheduling(LoadFileScheduling):  # type: ignore[misc]
    """Files stay together, and so do those that share the site."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        return ORDER[0] if _shares_the_site(file) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """At the end there are many short files left, with which no worker is busy for long while the others have none."""
    items.sort(key=lambda item: _place(item.path.relative_to(config.rootpath)))


def _place(path: Path) -> int:
    kind = ORDER[0] if _shares_the_site(path.as_posix()) else path.parts[1]
    return ORDER.index(kind) if kind in ORDER else len(ORDER)


def _shares_the_site(file: str) -> bool:
    return file.startswith("tests/browser/") and file not in SITES_OF_THEIR_OWN
