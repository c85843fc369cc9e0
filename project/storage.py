"""Static files under names with a hash of their content, in imports between ES modules too."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from re import Match
from typing import Any

from django.core.files.base import ContentFile, File
from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]

COMMENT = re.compile(rb"^[ \t]*(?:/\*.*?\*/|//[^\n]*)\n", re.DOTALL | re.MULTILINE)
"""One that has its lines for itself. In the widget's files no text and no expression looks like that."""


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, which also renames ``import … from "./other.js";`` (each must end in ``;``)."""

    support_js_module_import_aggregation = True

    def url_converter(self, name: str, hashed_files: Any, *how: Any) -> Callable[[Match[str]], str]:
        """As Django's, but what names no file stays: ``import("../htmx")`` in a comment of htmx says a type.

        Django 6.1 hands it one thing more.
        """
        convert: Callable[[Match[str]], str] = super().url_converter(name, hashed_files, *how)

        def converter(match: Match[str]) -> str:
            return convert(match) if PurePosixPath(match["url"]).suffix else match[0]

        return converter

    def _save(self, name: str, content: File[bytes]) -> str:
        """The widget goes to visitors without its comments, which are a quarter of it, packed or not."""
        if name.startswith("voice/") and name.endswith((".js", ".css")):
            content = ContentFile(COMMENT.sub(b"", b"".join(content.chunks())))
        saved: str = super()._save(name, content)
        return saved
