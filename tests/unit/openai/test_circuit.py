"""A refused key is left alone for half a minute."""

from voice.upstream.openai.circuit import REST_SECONDS, Circuit


def test_after_a_refusal_nobody_dials_for_half_a_minute() -> None:
    circuit = Circuit()
    assert not circuit.is_open(0.0)
    circuit.refused(10.0)
    assert circuit.is_open(10.0 + REST_SECONDS - 0.1)
    assert not circuit.is_open(10.0 + REST_SECONDS)


def test_only_the_first_refusal_of_a_series_is_news() -> None:
    circuit = Circuit()
    assert [circuit.refused(10.0), circuit.refused(10.1), circuit.refused(10.2 + REST_SECONDS)] == [True, False, True]
