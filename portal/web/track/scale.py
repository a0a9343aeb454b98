"""Stretched time: places in px for moments, so that a second and a week are both seen."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from math import log1p

from pipelines.runs.queries.track import Track
from portal.web.tags import spell


class Scale:
    """Stretched time: each interval between two moments gets the width that its length earns."""

    def __init__(self, moments: Iterable[datetime], *, left: float, least: float) -> None:
        self.moments = sorted(set(moments))
        widths = [stretch(two - one) for one, two in pairwise(self.moments)]
        total = sum(widths)
        factor = max(1.0, least / total) if total else 1.0
        self.places = [left]
        for width in widths:
            self.places.append(self.places[-1] + width * factor)
        self.by_moment = dict(zip(self.moments, self.places, strict=True))

    def __call__(self, moment: datetime) -> float:
        """Return the place of a moment, which must be one of those given."""
        return self.by_moment[moment]

    @property
    def right(self) -> float:
        """Where the last moment is."""
        return self.places[-1]


def stretch(length: timedelta) -> float:
    """Return the width in px that a length of time gets."""
    return 4 + 13 * log1p(max(0.0, length.total_seconds()) / 5)


def moments_of(track: Track) -> set[datetime]:
    moments = {track.start, track.end}
    for bar in track.bars:
        moments.update(m for span in bar.spans for m in (span.start, span.end))
    for each in track.passes:
        moments.update((each.start, each.end))
    moments.update(back.at for back in track.returns)
    return moments


def summary(track: Track) -> str:
    """Say in a sentence what the picture shows."""
    rounds, back = len(track.bars), len(track.returns)
    return (
        f"{rounds} stage round{'s' * (rounds != 1)} so far, {back} sent back,"
        f" {len(track.ahead)} stage{'s' * (len(track.ahead) != 1)} ahead;"
        f" worked {spell(track.work)}, waited {spell(track.wait)}."
    )
