"""ISO-8601 durations of fixed length: days, hours, minutes, seconds."""

import re
from datetime import timedelta

# Years and months have no fixed length, so a deadline must not depend on them.
_DURATION = re.compile(
    r"P(?=[0-9]|T[0-9])(?:(?P<weeks>[0-9]{1,9})W)?(?:(?P<days>[0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,9})H)?(?:(?P<minutes>[0-9]{1,9})M)?(?:(?P<seconds>[0-9]{1,9})S)?)?"
)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_MOST_SECONDS = 36_525 * 86_400


def parse_duration(text: str) -> timedelta | None:
    """The duration, or None if `text` is not one of at most 100 years."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    parts = found.groupdict("0").items()
    seconds = sum(int(number) * _SECONDS[unit] for unit, number in parts)
    return timedelta(seconds=seconds) if seconds <= _MOST_SECONDS else None


def format_duration(length: timedelta) -> str:
    """The one normal form of a duration: equal lengths give equal text."""
    minutes, seconds = divmod(length.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = "".join(
        f"{number}{unit}"
        for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S"))
        if number
    )
    days = f"{length.days}D" if length.days or not clock else ""
    return f"P{days}{'T' + clock if clock else ''}"
