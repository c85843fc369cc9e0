"""How soon a spoken question is answered, and from the right passage: the embedded provider over a real socket.

    python -m tests.benchmarks.spoken_questions                 24 questions in each language
    python -m tests.benchmarks.spoken_questions --count 70 en   these, and each one that went wrong

Each question is asked aloud in a conversation of its own, at the pace of life. It is right if one of the sources
shown for it is a document that answers it.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from tests import server, speech
from tests.benchmarks.questions import Question, questions
from tests.client import Received, VoiceClient
from tests.server import Site


@dataclass(frozen=True)
class Asked:
    """How that went. Milliseconds."""

    question: Question
    heard: str
    sources: list[str]
    from_speech: float
    """From the last audible sample of the question to the first byte of the answer's audio."""
    from_vad: int
    """From the VAD's word that the speech had stopped to the same."""
    in_time: bool
    """The search had begun, and its passages stood in the conversation, before the VAD's word."""

    @property
    def right(self) -> bool:
        """Whether the right document was among the sources."""
        return self.question.title in self.sources


def spread(language: str, count: int) -> list[Question]:
    """``count`` questions, evenly over all."""
    known = questions(language)
    count = min(count, len(known))
    return [known[n * len(known) // count] for n in range(count)]


async def ask(site: Site, question: Question) -> Asked:
    """One conversation with one question."""
    pcm = speech.spoken(question.text, question.language)
    async with VoiceClient(site.url, site.token, language=question.language) as client:
        ready = await client.until("session.ready")
        said = await client.say(pcm)
        audio = await client.until("audio", within=20)
        contexts: list[Received] = client.all("context")
        heard = client.all("transcript.user", final=True)
        await client.end()
    marks = site.turns(ready["session_id"])[0]["marks"]
    stopped = marks["speech_stopped"]
    return Asked(
        question,
        heard[-1]["text"] if heard else "",
        [source["title"] for context in contexts[-1:] for source in context["sources"]],
        from_speech=(audio.at - said.ended) * 1000,
        from_vad=marks["first_audio"] - stopped,
        in_time=marks.get("search_started", stopped) < stopped and marks.get("context_ready", stopped) < stopped,
    )


def report(language: str, asked: Sequence[Asked]) -> str:
    """The figures in a line, and each question that was answered from other documents."""
    speech_ms, vad_ms = [a.from_speech for a in asked], [float(a.from_vad) for a in asked]
    share = [sum(values) / len(asked) for values in ([a.right for a in asked], [a.in_time for a in asked])]
    lines = [
        f"{language}: {len(asked)} questions; to the first audio from the end of speech"
        f" median {median(speech_ms):.0f} ms, p90 {quantiles(speech_ms, n=10)[-1]:.0f} ms,"
        f" from speech.stopped median {median(vad_ms):.0f} ms;"
        f" right document {share[0]:.0%}, passages there before speech.stopped {share[1]:.0%}"
    ]
    for each in asked:
        if not each.right:
            lines.append(f"  {each.question.text}\n    heard: {each.heard}\n    found: {' | '.join(each.sources)}")
    return "\n".join(lines)


async def measure(site: Site, language: str, count: int) -> str:
    """Ask them all, one after the other."""
    return report(language, [await ask(site, question) for question in spread(language, count)])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("languages", nargs="*", default=["en", "fr"])
    parser.add_argument("--count", type=int, default=24, help="questions in each language (24)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, server.running(Path(folder)) as site:
        for language in options.languages:
            print(asyncio.run(measure(site, language, options.count)), flush=True)


if __name__ == "__main__":
    main()
