"""When a notification may go out by mail: at once or with the digest, never in quiet hours.

All by the clock on the reader's wall; pure. Moments are compared in UTC, for on days when the
clock changes two wall times may be one moment and one may be two.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.notifications.kinds import AT_ONCE

GATHER: Final = timedelta(seconds=60)  # what else happens meanwhile comes with the same mail
MINUTE: Final = timedelta(minutes=1)
LONGEST_QUIET: Final = 25 * 60  # minutes: a day on which the clock is set back


@dataclass(frozen=True)
class Habits:
    """When somebody reads: their time zone, the hour of the digest, and their quiet hours."""

    zone: str = "UTC"
    digest_hour: int = 8
    quiet_from: time | None = None
    quiet_until: time | None = None

    @property
    def tz(self) -> ZoneInfo:
        """The time zone; UTC where its name is unknown."""
        try:
            return ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo("UTC")


def due_at(now: datetime, mode: str, habits: Habits) -> datetime:
    """Return when a notification of `now` may go out, in UTC."""
    if mode == AT_ONCE:
        return after_quiet(now + GATHER, habits)
    return after_quiet(next_digest(now, habits), habits)


def next_digest(now: datetime, habits: Habits) -> datetime:
    """Return the next moment, after `now`, at which the reader's clock shows the digest's hour.

    Once a day: an hour that comes twice counts when it comes first, one that is left out when the
    clock has passed it.
    """
    tz, today = habits.tz, now.astimezone(habits.tz).date()
    for days in (0, 1, 2):
        day = today + timedelta(days=days)
        moment = datetime.combine(day, time(habits.digest_hour), tzinfo=tz).astimezone(UTC)
        if moment > now:
            return moment
    raise AssertionError(f"no {habits.digest_hour}:00 within two days of {now} in {habits.zone}")


def is_quiet(moment: datetime, habits: Habits) -> bool:
    """Whether the reader's clock is within their quiet hours, which may cross midnight."""
    begin, end = habits.quiet_from, habits.quiet_until
    if begin is None or end is None or begin == end:
        return False
    wall = moment.astimezone(habits.tz).time()
    return begin <= wall < end if begin < end else wall >= begin or wall < end


def after_quiet(moment: datetime, habits: Habits) -> datetime:
    """Return the moment, or the first full minute after it that is in no quiet hour."""
    if not is_quiet(moment, habits):
        return moment.astimezone(UTC)
    later = moment.astimezone(UTC).replace(second=0, microsecond=0)
    for _ in range(LONGEST_QUIET):
        later += MINUTE
        if not is_quiet(later, habits):
            return later
    return later
