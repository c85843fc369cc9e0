"""``manage.py voice_probe``: how long visitors wait for an answer, with prefetching and without it."""

from __future__ import annotations

import asyncio
import json
import math
import signal
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from voice.probe.errors import ProbeError
from voice.probe.figures import MODES, Measured, as_json, typical
from voice.probe.questions import Question
from voice.probe.run import run
from voice.probe.script import Script
from voice.probe.site import Wanted, prepared, warm_up
from voice.probe.table import table
from voice.probe.turn import Setup
from voice.probe.waterfall import waterfall

SCRIPTED = {
    "upstream_latency": ("latency_ms", "from the request of an answer to its first audio"),
    "silence": ("silence_ms", "silence that ends a question"),
    "transcript_lag": ("transcript_lag_ms", "from a word to its partial transcript"),
    "transcription": ("transcription_ms", "from the end of the question to its final transcript"),
}
"""Options of the scripted upstream: its field, and what they are."""


class Command(BaseCommand):
    """Asks questions, tells on stderr how it goes, and prints on stdout what came of it."""

    help = (
        "Asks spoken questions in real sessions, each one with prefetching and then sequentially, and compares how long"
        " the answers took. Without options it needs no service: the upstream is a scripted one."
    )
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    """Makes the event loop to run on; a test's own does not wait."""

    def add_arguments(self, parser: CommandParser) -> None:
        """All of them are optional."""
        parser.add_argument("--turns", type=_count, default=10, metavar="N", help="in each mode (10)")
        parser.add_argument("--json", action="store_true", help="the figures as JSON, and nothing else on stdout")
        parser.add_argument("--svg", type=Path, metavar="FILE", help="also draw the typical turn of each mode")
        self._add_questions(parser)
        self._add_parts(parser)

    def _add_questions(self, parser: CommandParser) -> None:
        group = parser.add_argument_group("questions")
        group.add_argument("--language", metavar="TAG", help="of the questions (the site's first)")
        either = group.add_mutually_exclusive_group()
        either.add_argument("--questions", type=Path, metavar="FILE", help="your own, one a line")
        either.add_argument("--wav", type=Path, nargs="+", default=[], metavar="FILE", help="spoken: 24 kHz, mono, PCM")

    def _add_parts(self, parser: CommandParser) -> None:
        group = parser.add_argument_group("what is measured (times in milliseconds)")
        group.add_argument("--upstream", choices=["scripted", "local", "openai"], default="scripted")
        for option, (name, what) in SCRIPTED.items():
            flag, default = f"--{option.replace('_', '-')}", getattr(Script(), name)
            group.add_argument(flag, type=_milliseconds, metavar="MS", help=f"scripted: {what} ({default})")
        group.add_argument(
            "--knowledge", choices=["configured", "none"], default="configured", help="none: a scripted one is searched"
        )
        group.add_argument(
            "--knowledge-latency",
            type=_milliseconds,
            metavar="MS",
            help="added to each search; inf: it never answers (0, for a scripted one 447)",
        )

    def handle(self, *args: Any, turns: int, svg: Path | None, **options: Any) -> None:
        """Measure and print. What was measured is printed also if it ended early.

        Raises:
            CommandError: it cannot be measured, or no further.
        """
        wanted, measured = _wanted(options), list[Measured]()
        problem: CommandError | None = None
        try:
            setup, questions = prepared(wanted)
            self._measure(wanted, setup, questions, turns, measured)
        except ProbeError as error:
            problem = CommandError(str(error))
        except KeyboardInterrupt:
            problem = CommandError("Interrupted.", returncode=128 + signal.SIGINT)
        if measured:
            about = _about(wanted, setup)
            self.stdout.write(
                json.dumps(as_json(measured, **about), indent=2) if options["json"] else _page(measured, about)
            )
            self._draw(measured, svg)
        if problem is not None:
            raise problem

    def _measure(
        self, wanted: Wanted, setup: Setup, questions: Sequence[Question], turns: int, measured: list[Measured]
    ) -> None:
        """Put what was measured into ``measured``, turn by turn."""

        def report(turn: Measured) -> None:
            measured.append(turn)
            self._say(f"{len(measured):4}/{turns * len(MODES)}  {turn.mode:<12}{_result(turn)}")

        async def main() -> None:
            await warm_up(wanted, setup, lambda label, share: None)
            try:
                await run(setup, questions, turns, report)
            finally:
                await setup.knowledge.close()

        self._say("Some five seconds a turn. Ctrl-C ends it and shows what was measured.")
        with asyncio.Runner(loop_factory=self.loop_factory) as runner:
            runner.run(main())

    def _draw(self, measured: Sequence[Measured], svg: Path | None) -> None:
        turns = [turn for mode in MODES if (turn := typical(measured, mode)) is not None]
        if svg is None or not turns:
            return
        try:
            svg.write_text(waterfall(turns), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{svg} cannot be written: {error.strerror}.") from None
        self._say(f"Drawn: {svg}")

    def _say(self, line: str) -> None:
        self.stderr.write(line, str)  # as it is: what goes to stderr would be red
        self.stderr.flush()


def _wanted(options: dict[str, Any]) -> Wanted:
    given = {SCRIPTED[option][0]: options[option] for option in SCRIPTED if options[option] is not None}
    if given and options["upstream"] != "scripted":
        raise CommandError("Only the scripted upstream can be given latencies.")
    return Wanted(
        language=options["language"],
        questions=options["questions"],
        recordings=options["wav"],
        upstream=options["upstream"],
        script=Script(**given),
        site_knowledge=options["knowledge"] == "configured",
        knowledge_latency_ms=options["knowledge_latency"],
    )


def _about(wanted: Wanted, setup: Setup) -> dict[str, Any]:
    scripted = wanted.upstream == "scripted"
    return {
        "upstream": wanted.upstream,
        "upstream_latency_ms": _plain(wanted.script.latency_ms) if scripted else None,
        "knowledge": setup.knowledge.name,
        "knowledge_latency_ms": _plain(setup.knowledge_latency_ms),
    }


def _page(measured: Sequence[Measured], about: dict[str, Any]) -> str:
    takes = "" if about["upstream_latency_ms"] is None else f" ({about['upstream_latency_ms']} ms)"
    head = (
        f"upstream: {about['upstream']}{takes}   knowledge: {about['knowledge']} (+{about['knowledge_latency_ms']} ms)"
    )
    return f"\n{head}\n\n{table(measured)}\n"


def _result(turn: Measured) -> str:
    if turn.first_audio_ms is None:
        return "no answer"
    return f"first audio after {turn.first_audio_ms:,} ms, {turn.added_ms:,} ms of them for retrieval"


def _plain(milliseconds: float) -> float | str:
    # Infinity is no number in JSON.
    return milliseconds if math.isfinite(milliseconds) else "inf"


def _milliseconds(text: str) -> float:
    value = float(text)
    if math.isnan(value) or value < 0:
        raise ArgumentTypeError("milliseconds are 0 or more")
    return int(value) if value.is_integer() else value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ArgumentTypeError("must be 1 or more")
    return value
