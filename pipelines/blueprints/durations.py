"""ISO-8601 durations of fixed length: days, hours, minutes, seconds."""

import re
from datetime import timedelta

# Years and months have no fixed length, so a deadline must not depend on them.
_DURATION = re.compile(
    r"^P(?=\d|T\d)(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?$"
)


def parse_duration(text: str) -> timedelta | None:
    """The duration, or None if `text` is not one of at most 100 years."""
    found = _DURATION.match(text)
    if found is None:
        return None
    parts = {unit: int(number) for unit, number in found.groupdict("0").items()}
    if any(number > 10_000_000_000 for number in parts.values()):
        return None
    length = timedelta(**parts) if sum(parts.values()) < 10_000_000_000 else None
    return length if length is not None and length.days <= 36_525 else None


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
