"""Where a run's time went."""

from datetime import UTC, datetime, timedelta

from pipelines.runs.queries.times import Times, Tries, times, union

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def minutes(found: Times) -> tuple[float, ...]:
    parts = (found.computing, found.queued, found.later, found.people)
    return tuple(part.total_seconds() / 60 for part in parts)


def test_without_steps_everything_waits_for_people() -> None:
    assert minutes(times([], start=START, end=at(10))) == (0, 0, 0, 10)


def test_queued_then_computing_then_people() -> None:
    steps = [Tries([(at(0), at(2), at(5))])]
    assert minutes(times(steps, start=START, end=at(10))) == (3, 2, 0, 5)


def test_two_at_once_count_once() -> None:
    steps = [Tries([(at(0), at(0), at(4))]), Tries([(at(0), at(2), at(6))])]
    found = times(steps, start=START, end=at(10))
    assert minutes(found) == (6, 0, 0, 4)
    assert found.elapsed == timedelta(minutes=10)


def test_between_attempts_it_comes_back_later() -> None:
    steps = [Tries([(at(0), at(0), at(1)), (at(4), at(4), at(5))], comes_back=True)]
    assert minutes(times(steps, start=START, end=at(10))) == (2, 0, 8, 0)


def test_what_still_runs_runs_until_now() -> None:
    assert minutes(times([Tries([(at(1), at(2), None)])], start=START, end=at(5))) == (3, 1, 0, 1)
    assert minutes(times([Tries([(at(1), None, None)])], start=START, end=at(5))) == (0, 4, 0, 1)


def test_union_joins_what_touches() -> None:
    assert union([(at(3), at(4)), (at(0), at(2)), (at(2), at(3)), (at(6), at(7))]) == [
        (at(0), at(4)),
        (at(6), at(7)),
    ]
