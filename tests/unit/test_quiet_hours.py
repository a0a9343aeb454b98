"""When a mail may go out: quiet hours and the digest's hour, over midnight and changed clocks."""

from datetime import UTC, datetime, time, timedelta

import pytest

from pipelines.notifications.kinds import AT_ONCE, DIGEST
from pipelines.notifications.schedule import GATHER, Habits, after_quiet, due_at, is_quiet

BERLIN = "Europe/Berlin"  # clocks: forward 28 March 2027 at 02:00, back 31 October 2027 at 03:00


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def habits(begin: str = "", end: str = "", *, zone: str = BERLIN, hour: int = 8) -> Habits:
    def at(text: str) -> time | None:
        return time.fromisoformat(text) if text else None

    return Habits(zone, hour, at(begin), at(end))


@pytest.mark.parametrize(
    ("now", "begin", "end", "free"),
    [
        ("2027-01-10T12:00", "22:00", "07:00", "2027-01-10T12:00"),  # 13:00 there: not quiet
        ("2027-01-10T21:00", "22:00", "07:00", "2027-01-11T06:00"),  # begins now, over midnight
        ("2027-01-10T23:30", "22:00", "07:00", "2027-01-11T06:00"),  # past midnight there
        ("2027-01-11T05:59", "22:00", "07:00", "2027-01-11T06:00"),
        ("2027-01-11T06:00", "22:00", "07:00", "2027-01-11T06:00"),  # the end is free
        ("2027-01-11T12:00", "12:30", "14:00", "2027-01-11T13:00"),  # within one day
        ("2027-03-27T23:00", "22:00", "07:00", "2027-03-28T05:00"),  # a night of 23 hours
        ("2027-10-30T23:00", "22:00", "07:00", "2027-10-31T06:00"),  # a night of 25 hours
        ("2027-03-28T00:10", "00:00", "02:30", "2027-03-28T01:00"),  # 02:30 does not come
        ("2027-10-31T00:40", "22:00", "02:30", "2027-10-31T01:00"),  # 02:40, then 02:00 again
        ("2027-10-31T01:10", "22:00", "02:30", "2027-10-31T01:30"),  # the second 02:10
        ("2027-01-10T23:00", "07:00", "07:00", "2027-01-10T23:00"),  # no length: none
        ("2027-01-10T23:00", "", "", "2027-01-10T23:00"),
    ],
)
def test_quiet_hours_end_when_the_readers_clock_says_so(
    now: str, begin: str, end: str, free: str
) -> None:
    wish = habits(begin, end)
    if now == "2027-10-31T00:40":
        # The first 02:40 is free; its hour comes again, and is quiet until the second 02:30.
        assert after_quiet(utc(now), wish) == utc(now)
        assert after_quiet(utc(free), wish) == utc("2027-10-31T01:30")
        return
    assert after_quiet(utc(now), wish) == utc(free)
    assert not is_quiet(utc(free), wish)


@pytest.mark.parametrize("zone", [BERLIN, "America/St_Johns", "Asia/Kathmandu", "nowhere/at all"])
@pytest.mark.parametrize("day", ["2027-03-13", "2027-03-27", "2027-10-30", "2027-11-06"])
def test_every_moment_finds_a_free_one_within_a_day(zone: str, day: str) -> None:
    wish = habits("21:15", "08:45", zone=zone)
    for minutes in range(0, 48 * 60, 47):
        moment = utc(f"{day}T00:00") + timedelta(minutes=minutes)
        free = after_quiet(moment, wish)
        assert moment <= free <= moment + timedelta(hours=25)
        assert not is_quiet(free, wish)


@pytest.mark.parametrize(
    ("now", "hour", "due"),
    [
        ("2027-01-10T06:59", 8, "2027-01-10T07:00"),
        ("2027-01-10T07:00", 8, "2027-01-11T07:00"),  # this morning's has gone
        ("2027-03-27T12:00", 8, "2027-03-28T06:00"),  # summer time since the night
        ("2027-03-27T12:00", 2, "2027-03-28T01:00"),  # 02:00 is left out: at 03:00
        ("2027-10-30T12:00", 2, "2027-10-31T00:00"),  # 02:00 comes twice: the first
        ("2027-10-31T00:30", 2, "2027-11-01T01:00"),  # and not the second
    ],
)
def test_the_digest_comes_once_a_day_by_the_readers_clock(now: str, hour: int, due: str) -> None:
    assert due_at(utc(now), DIGEST, habits(hour=hour)) == utc(due)


def test_the_digest_waits_for_the_end_of_quiet_hours() -> None:
    assert due_at(utc("2027-01-10T12:00"), DIGEST, habits("22:00", "09:30")) == utc(
        "2027-01-11T08:30"
    )


def test_at_once_is_after_a_minute_of_gathering() -> None:
    now = utc("2027-01-10T12:00")
    assert due_at(now, AT_ONCE, habits()) == now + GATHER
    assert due_at(utc("2027-01-10T20:59:30"), AT_ONCE, habits("22:00", "07:00")) == utc(
        "2027-01-11T06:00"
    ), "the minute of gathering must not end in quiet hours"
