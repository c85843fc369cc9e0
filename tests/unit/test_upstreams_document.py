"""The settings in ``voice/docs/upstreams.md`` are settings."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from voice.checks import configuration
from voice.conf import conf

DOCUMENT = Path(configuration.__file__).parents[1] / "docs" / "upstreams.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=["OpenAI", "Azure"])
def test_the_examples_reach_a_service_and_nothing_is_wrong_with_them(
    example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in re.findall(r"os\.environ\[\"(\w+)\"\]", example):
        monkeypatch.setenv(name, "key")
    names: dict[str, Any] = {"os": os}
    exec(example, names)  # noqa: S102
    with override_settings(VOICE=names["VOICE"]):
        assert configuration.check_settings() == []
        assert configuration.check_provider() == []
        assert conf().provider == "openai"
