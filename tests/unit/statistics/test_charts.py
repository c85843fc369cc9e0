"""What a chart shows of its numbers."""

import pytest

from voice.statistics import charts


@pytest.mark.parametrize(
    ("values", "dots"),
    [([1.0], 1), ([None, 2.0, None], 1), ([0.0, None, None], 1), ([1.0, 2.0, None], 0), ([None, None], 0)],
)
def test_a_value_without_a_neighbour_is_a_dot(values: list[float | None], dots: int) -> None:
    """A line of one point cannot be seen."""
    labels = [str(day) for day in range(len(values))]
    picture = charts.lines(labels, [("spoken", values)], alt="What was said.", top=1, write=str)
    assert picture.count("<circle") == dots
