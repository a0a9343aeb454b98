"""The line of the Test Score over time."""

from datetime import UTC, datetime, timedelta

from portal.web.scores import SMALL, steps

BEGIN = datetime(2031, 5, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_value_stays_until_the_next_change() -> None:
    drawn = steps([(BEGIN, 0.0), (BEGIN + HOUR, 7.0)], BEGIN + 2 * HOUR, title="Score")
    assert drawn is not None
    bottom, top, middle = SMALL[1] - 4, 4.0, SMALL[0] / 2
    points = [tuple(map(float, point.split(","))) for point in drawn.line.split()]
    assert points == [(4, bottom), (middle, bottom), (middle, top), (SMALL[0] - 4, top)]
    assert drawn.text == "Score: 0 at first, 7 now, 1 changes."


def test_one_value_is_a_flat_line_and_none_is_none() -> None:
    drawn = steps([(BEGIN, 3.5)], BEGIN, title="Score", wide=True)
    assert drawn is not None
    assert len({point.split(",")[1] for point in drawn.line.split()}) == 1
    assert steps([], BEGIN, title="Score") is None
