"""The table for people."""

from tests.unit.probe.turns import turn
from voice.probe.table import table


def test_both_modes_stand_side_by_side() -> None:
    shown = table([turn("prefetch", latency=560, hit=1, superseded=1), turn("sequential", added=447, latency=560)])
    assert shown.splitlines() == [
        "                                              prefetch                sequential",
        "                                   p50     p95     max       p50     p95     max",
        "after speech_stopped (ms)",
        "  context ready                 -2,053  -2,053  -2,053       447     447     447",
        "  answer requested                   0       0       0       447     447     447",
        "  first audio                      560     560     560     1,007   1,007   1,007",
        "added by retrieval (ms)              0       0       0       447     447     447",
        "",
        "turns                                1                         1",
        "answers with context              100%                      100%",
        "searches a turn                   2.00                      1.00",
        "  wasted                          1.00                      0.00",
    ]


def test_what_was_not_measured_is_a_dash() -> None:
    lines = table([turn("prefetch")]).splitlines()
    assert lines[5].split() == ["first", "audio", "558", "558", "558", "-", "-", "-"]


def test_turns_without_an_answer_are_not_hidden() -> None:
    assert "without an answer" not in table([turn()])
    assert table([turn(latency=None)]).splitlines()[-1].split() == ["without", "an", "answer", "1", "0"]
