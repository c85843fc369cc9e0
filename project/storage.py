"""Static files under names with a hash of their content, in imports between ES modules too."""

from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]


class ModuleStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, which also renames ``import … from "./other.js";`` (each must end in ``;``)."""

    support_js_module_import_aggregation = True
