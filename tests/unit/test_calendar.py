"""Business calendars: adding working time, daylight saving, holidays, days without hours."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.calendars import (
    OFFICE,
    WEEKDAYS,
    Calendar,
    default_calendar,
    hours_problems,
    span_of,
    span_text,
    week_of,
    zone_problems,
)

HOUR = timedelta(hours=1)
NOTHING = timedelta(0)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
ALWAYS = {day: ["00:00-24:00"] for day in WEEKDAYS}


def office(zone: str = "UTC", *holidays: date, **hours: list[str]) -> Calendar:
    return Calendar(zone, week_of({**OFFICE, **hours}), frozenset(holidays))


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


# --- What people expect -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "length", "due"),
    [
        ("2026-11-23 10:00", timedelta(days=2), "2026-11-25 10:00"),  # Monday to Wednesday
        ("2026-11-27 15:00", timedelta(days=1), "2026-11-30 15:00"),  # over a weekend
        ("2026-11-27 16:30", HOUR, "2026-11-30 09:30"),
        ("2026-11-28 12:00", HOUR, "2026-11-30 10:00"),  # given on a Saturday
        ("2026-11-23 06:00", HOUR * 8, "2026-11-23 17:00"),  # ends with the day, not the next
        ("2026-11-23 09:00", timedelta(days=5), "2026-11-27 17:00"),
        ("2026-11-23 09:00", timedelta(days=1, hours=1), "2026-11-24 10:00"),
        ("2026-11-28 12:00", NOTHING, "2026-11-28 12:00"),
    ],
)
def test_days_are_working_days_and_hours_working_time(
    start: str, length: timedelta, due: str
) -> None:
    assert office().due(at(start), length) == at(due)


def test_holidays_are_no_working_days() -> None:
    free = office("UTC", date(2026, 12, 24), date(2026, 12, 25))
    assert free.due(at("2026-12-23 16:00"), HOUR * 2) == at("2026-12-28 10:00")
    assert not free.is_open(at("2026-12-24 10:00"))
    assert free.between(at("2026-12-24 00:00"), at("2026-12-28 09:00")) == NOTHING


def test_the_zone_says_when_the_day_begins() -> None:
    kolkata = office("Asia/Kolkata")
    assert kolkata.add(at("2026-11-23 00:00"), HOUR) == at("2026-11-23 04:30")
    assert kolkata.is_open(at("2026-11-23 03:30"))
    assert not kolkata.is_open(at("2026-11-23 11:30"))


def test_an_evening_and_a_morning_shift() -> None:
    split = office(mon=["09:00-12:00", "18:00-20:00"])
    assert split.add(at("2026-11-23 11:00"), HOUR * 2) == at("2026-11-23 19:00")
    assert split.between(at("2026-11-23 11:00"), at("2026-11-23 19:00")) == HOUR * 2


def test_a_short_friday_makes_a_day_shorter() -> None:
    short = office(fri=["09:00-13:00"])
    assert short.day_length == timedelta(hours=36) / 5


def test_night_shifts_have_an_hour_less_or_more_when_the_clock_jumps() -> None:
    night = Calendar("Europe/Berlin", week_of({day: ["00:00-06:00"] for day in WEEKDAYS}))
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    for day, hours in ((spring, 5), (autumn, 7)):
        begin = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Berlin"))
        assert night.between(begin, begin + timedelta(days=1)) == HOUR * hours


def test_a_span_that_the_clock_skips_is_no_time() -> None:
    skipped = Calendar("Europe/Berlin", week_of({**ALWAYS, "sun": ["02:15-02:45"]}))
    sunday = at("2026-03-29 00:00", "Europe/Berlin")
    assert skipped.between(sunday, at("2026-03-30 00:00", "Europe/Berlin")) == NOTHING
    half = Calendar("Europe/Berlin", week_of({**ALWAYS, "sun": ["01:30-02:30", "02:30-03:30"]}))
    assert half.between(sunday, at("2026-03-30 00:00", "Europe/Berlin")) == HOUR


def test_an_office_day_is_as_long_as_ever_when_the_clock_jumps_at_night() -> None:
    berlin = office("Europe/Berlin")
    start = at("2026-03-27 12:00", "Europe/Berlin")
    assert berlin.due(start, timedelta(days=1)) == at("2026-03-30 12:00", "Europe/Berlin")


def test_each_persona_has_a_calendar_to_begin_with() -> None:
    assert default_calendar("DS").day_length == HOUR * 8
    assert default_calendar("OPS").day_length == HOUR * 12


# --- What holds for every calendar --------------------------------------------------------------


@st.composite
def spans(draw: st.DrawFn) -> list[str]:
    edges = draw(st.lists(st.integers(0, 1440), max_size=6, unique=True).map(sorted))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return [span_text(pair) for pair in pairs]


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Any calendar, with days of no hours; around the nights when the clock jumps."""
    week = draw(st.lists(spans(), min_size=7, max_size=7).filter(any))
    free = st.integers(-5, 400).map(lambda days: date(2026, 3, 20) + timedelta(days=days))
    holidays = draw(st.frozensets(free, max_size=12))
    return Calendar(
        draw(st.sampled_from(ZONES)), week_of(dict(zip(WEEKDAYS, week, strict=True))), holidays
    )


SPRING = datetime(2026, 3, 20, tzinfo=UTC)
moments = st.timedeltas(NOTHING, timedelta(days=290)).map(lambda passed: SPRING + passed)
works = st.timedeltas(NOTHING, timedelta(hours=60))


@given(calendars(), moments, works)
def test_what_was_added_has_passed(calendar: Calendar, start: datetime, work: timedelta) -> None:
    end = calendar.add(start, work)
    assert end >= start + work
    assert calendar.between(start, end) == work


@given(calendars(), moments, works, works)
def test_adding_twice_is_adding_once(
    calendar: Calendar, start: datetime, one: timedelta, two: timedelta
) -> None:
    assert calendar.add(calendar.add(start, one), two) == calendar.add(start, one + two)


@given(calendars(), moments, moments, works)
def test_who_begins_later_ends_later(
    calendar: Calendar, one: datetime, two: datetime, work: timedelta
) -> None:
    first, second = sorted((one, two))
    assert calendar.add(first, work) <= calendar.add(second, work)


@given(calendars(), moments, moments, moments)
def test_parts_of_a_time_make_up_the_whole(
    calendar: Calendar, one: datetime, two: datetime, three: datetime
) -> None:
    first, middle, last = sorted((one, two, three))
    parts = calendar.between(first, middle) + calendar.between(middle, last)
    assert parts == calendar.between(first, last)
    assert NOTHING <= parts <= last - first
    assert calendar.between(last, first) == NOTHING


@given(calendars(), moments)
def test_openings_follow_one_another(calendar: Calendar, start: datetime) -> None:
    found = calendar.openings(start)
    before = start
    for _ in range(20):
        opens, closes = next(found)
        assert before <= opens < closes
        assert calendar.is_open(opens)
        assert date_of(opens, calendar) not in calendar.holidays
        before = closes


def date_of(moment: datetime, calendar: Calendar) -> date:
    return moment.astimezone(ZoneInfo(calendar.zone)).date()


@given(moments, works)
def test_around_the_clock_is_calendar_time(start: datetime, work: timedelta) -> None:
    always = Calendar("Europe/Berlin", week_of(ALWAYS))
    assert always.add(start, work) == start + work


# --- Reading and refusing -----------------------------------------------------------------------


@given(st.integers(0, 1440), st.integers(0, 1440))
def test_a_span_reads_back_as_it_was_written(first: int, last: int) -> None:
    assert span_of(span_text((first, last))) == (first, last)


@pytest.mark.parametrize(
    "text",
    ["", "9-17", "09:00", "09:60-10:00", "24:01-25:00", "a:00-b:00", "09:00-17:0", "-1:00-02:00"],
)
def test_what_is_no_span(text: str) -> None:
    assert span_of(text) is None


@pytest.mark.parametrize(
    ("hours", "problem"),
    [
        ({}, "at least one weekday must be open"),
        ({"mon": []}, "at least one weekday must be open"),
        ({"mon": ["17:00-09:00"]}, "mon must open before it closes, got 17:00-09:00"),
        ({"mon": ["09:00-09:00"]}, "mon must open before it closes, got 09:00-09:00"),
        ({"mon": ["09:00-12:00", "11:00-13:00"]}, "mon has spans that overlap at 11:00-13:00"),
        ({"mo": ["09:00-12:00"]}, "unknown weekday 'mo'"),
        ({"mon": ["nine to five"]}, "mon must be spans such as '09:00-17:00', got 'nine to five'"),
        ({"mon": "09:00-17:00"}, "mon must be a list of texts such as '09:00-17:00'"),
    ],
)
def test_bad_hours_are_named(hours: Any, problem: str) -> None:
    assert any(text.startswith(problem) for text in hours_problems(hours))
    with pytest.raises(ValueError, match=problem.split(",", maxsplit=1)[0]):
        week_of(hours)


def test_a_calendar_that_never_opens_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="at least one weekday"):
        Calendar("UTC", ((),) * 7)
    with pytest.raises(ValueError, match="a week has 7 days"):
        Calendar("UTC", (((540, 1020),),))
    with pytest.raises(ValueError, match="unknown time zone 'Mars/Base'"):
        Calendar("Mars/Base", week_of(OFFICE))
    assert zone_problems("Europe/Berlin") == []


def test_beyond_the_last_year_is_an_error_and_no_endless_loop() -> None:
    with pytest.raises(OverflowError):
        office().add(datetime(9999, 12, 20, tzinfo=UTC), timedelta(days=30))
