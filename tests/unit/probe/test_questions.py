"""Where questions come from, and what is said about files that hold none."""

import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import speech
from voice.probe import questions
from voice.probe.errors import ProbeError
from voice.probe.questions import Question
from voice.protocol.words import asking_words


@pytest.mark.parametrize("language", ["en", "fr", "fr-CA"])
def test_the_own_questions_are_of_eight_words_and_more(language: str) -> None:
    own = questions.own(language)
    assert len(own) >= 10
    assert all(len(question.text.split()) >= 8 <= len(asking_words(question.text)) for question in own)


def test_a_language_without_questions_asks_for_a_file() -> None:
    with pytest.raises(ProbeError, match="in en, fr, but not in 'de'"):
        questions.own("de")


def test_a_file_holds_a_question_a_line(tmp_path: Path) -> None:
    path = tmp_path / "questions.txt"
    path.write_bytes("\ufeff# Ours\r\nWhen do you open?\r\n\r\n  Où êtes-vous ?\u202e \r\n".encode())
    assert questions.from_file(path) == [Question("When do you open?"), Question("Où êtes-vous ?")]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read: No such file"),
        (b"# nothing\n\n", "holds no question"),
        (b"\xff\xfe\x00", "not a text in UTF-8"),
    ],
)
def test_a_file_without_questions_is_refused(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    path = tmp_path / "questions.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ProbeError, match=complaint):
        questions.from_file(path)


def test_a_recording_is_a_question_with_the_name_of_its_file(tmp_path: Path) -> None:
    path = speech.recording(tmp_path / "opening hours.wav", b"\1\2" * 480)
    assert questions.from_recordings([path]) == [Question("opening hours", b"\1\2" * 480)]


def _other_rate(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(64))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda path: None, "cannot be read"),
        (lambda path: path.write_bytes(b""), "not a WAV file"),
        (lambda path: path.write_bytes(b"MP3 and so on, for long enough to be read"), "not a WAV file"),
        (_other_rate, "2 channel.*16 bits, 16000 Hz"),
        (speech.recording, "is empty"),
    ],
)
def test_what_is_no_recording_of_ours_is_refused(
    tmp_path: Path, make: Callable[[Path], object], complaint: str
) -> None:
    path = tmp_path / "question.wav"
    make(path)
    with pytest.raises(ProbeError, match=complaint):
        questions.from_recordings([path])
