"""Short hand for scripts of the embedded engine: what is heard, what comes back, what was said."""

from __future__ import annotations

from voice.protocol.commands import CreateResponse, InjectContext, SubmitText, ToUpstream
from voice.protocol.context import Passage
from voice.protocol.events import AnswerDelta, AudioDelta, ResponseDone
from voice.upstream.local.endpointing import Window
from voice.upstream.local.engine import Engine, Output
from voice.upstream.local.jobs import Drop, Synthesise, Transcribe
from voice.upstream.local.options import LocalOptions

#: In windows of 32 ms: speech begins with 2, a pause with 2, a turn ends with 4, partials from 4 on.
OPTIONS = LocalOptions(
    min_speech_ms=64, prefix_ms=64, early_ms=64, silence_ms=128, max_speech_ms=960, partial_after_ms=128, partial_ms=96
)
SOUND = bytes(1024)
ONE_SECOND = bytes(48_000)

HOURS = Passage(
    "Opening hours",
    "We are open from Monday to Saturday from 9 a.m. to 7 p.m. On Sundays we close at noon.",
    language="en",
    score=0.5,
)
PARKING = Passage("Parking", "You can park behind the house. It is free for two hours.", language="en", score=0.5)
HORAIRES = Passage("Horaires", "Nous ouvrons à 9 h. Le dimanche, nous fermons à midi.", language="fr", score=0.5)


class Script:
    """An engine and everything it said. Jobs wait in ``jobs`` until they are answered; the clock follows the audio."""

    def __init__(self, options: LocalOptions = OPTIONS, **kwargs: object) -> None:
        settings = {"language": "en", "voices": ("en", "fr")} | kwargs
        self.engine = Engine(options, **settings)  # type: ignore[arg-type]
        self.now = 0.0
        self.said: list[Output] = []
        self.jobs: dict[str, Transcribe | Synthesise] = {}

    def speech(self, windows: int) -> list[Output]:
        return self.hear(0.9, windows)

    def silence(self, windows: int) -> list[Output]:
        return self.hear(0.01, windows)

    def hear(self, probability: float, windows: int = 1) -> list[Output]:
        heard: list[Output] = []
        for _ in range(windows):
            self.now += 0.032
            heard += self._take(self.engine.hear(Window(SOUND, probability), self.now))
        return heard

    def obey(self, command: ToUpstream) -> list[Output]:
        return self._take(self.engine.obey(command))

    def inject(self, *passages: Passage, item_id: str = "ctx_1_1") -> list[Output]:
        return self.obey(InjectContext(item_id, "", passages or (HOURS,)))

    def ask(self, text: str, *passages: Passage, n: int = 1) -> list[Output]:
        """A typed question, its context, and the request for an answer."""
        self.obey(SubmitText(f"usr_{n}", text))
        if passages:
            self.inject(*passages, item_id=f"ctx_{n}_1")
        return self.obey(CreateResponse(f"req_{n}_1"))

    def transcript(self, text: str) -> list[Output]:
        """The newest transcription is done."""
        return self.finish(self.waiting(Transcribe), text)

    def sound(self, pcm: bytes = ONE_SECOND) -> list[Output]:
        """The newest synthesis is done."""
        return self.finish(self.waiting(Synthesise), pcm)

    def all_sounds(self, pcm: bytes = ONE_SECOND) -> None:
        """Every synthesis, until none is wanted."""
        while any(isinstance(job, Synthesise) for job in self.jobs.values()):
            self.sound(pcm)

    def finish(self, job_id: str, result: str | bytes) -> list[Output]:
        del self.jobs[job_id]
        return self._take(self.engine.job_done(job_id, result, self.now))

    def fail(self, job_id: str) -> list[Output]:
        del self.jobs[job_id]
        return self._take(self.engine.job_failed(job_id, self.now))

    def waiting(self, kind: type[Transcribe] | type[Synthesise]) -> str:
        return [job_id for job_id, job in self.jobs.items() if isinstance(job, kind)][-1]

    def spoken_turn(self, text: str = "When do you open on Sundays?") -> list[Output]:
        """A spoken question, its early start used, up to the commit."""
        self.speech(4)
        self.silence(2)
        self.transcript(text)
        return self.silence(2)

    @property
    def answer(self) -> str:
        """All text of all answers."""
        return "".join(output.delta for output in self.said if isinstance(output, AnswerDelta))

    @property
    def audio(self) -> bytes:
        return b"".join(output.pcm for output in self.said if isinstance(output, AudioDelta))

    def _take(self, outputs: list[Output]) -> list[Output]:
        for output in outputs:
            match output:
                case Transcribe() | Synthesise():
                    self.jobs[output.job_id] = output
                case Drop(job_id=job_id):
                    del self.jobs[job_id]
                case _:
                    self.said.append(output)
        return outputs


def names(outputs: list[Output]) -> list[str]:
    """The kinds of outputs, with runs of audio counted once."""
    found = [type(output).__name__ for output in outputs]
    return [name for n, name in enumerate(found) if name != "AudioDelta" or found[n - 1 : n] != ["AudioDelta"]]


def done(outputs: list[Output]) -> list[ResponseDone]:
    return [output for output in outputs if isinstance(output, ResponseDone)]
