"""Static files under names with a hash of their content, in imports between ES modules too."""

from collections.abc import Callable
from pathlib import PurePosixPath
from re import Match
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, which also renames ``import … from "./other.js";`` (each must end in ``;``)."""

    support_js_module_import_aggregation = True

    def url_converter(self, name: str, hashed_files: Any, template: str | None = None) -> Callable[[Match[str]], str]:
        """As Django's, but what names no file stays: ``import("../htmx")`` in a comment of htmx says a type."""
        convert: Callable[[Match[str]], str] = super().url_converter(name, hashed_files, template)

        def converter(match: Match[str]) -> str:
            return convert(match) if PurePosixPath(match["url"]).suffix else match[0]

        return converter
