"""One figure of each kind, with names that somebody might choose to do harm."""

from pipelines.charts.figure import NAME, TIME, Axis, Figure, Limit, Value, Words
from pipelines.charts.kinds import bars, dots, line, multiples, points, stacked
from pipelines.charts.squares import Bin, Place, calibration, heat, histogram, pr, roc

MARKUP = '<script>alert(1)</script> & "x"'
HOSTILE = (MARKUP, "\u202eltr", "a" * 10_000, "datum.x; alert(1)")
DAYS = tuple(f"2026-01-{day:02d}" for day in range(1, 11))
DAY = Axis("day", kind=TIME)
AMOUNT = Axis("PSI", unit="nats", low=0)
WHO = Axis("feature", kind=NAME)


def words(key: str) -> Words:
    """Words for a figure, with markup in its title."""
    return Words(key, f"{key} {MARKUP}", "What it says.", series="feature")


def all_kinds() -> tuple[Figure, ...]:
    """A figure of each kind."""
    alone = [Value(day, n % 4, n % 4 - 1, n % 4 + 1) for n, day in enumerate(DAYS)]
    many = [Value(day, n % 4, series=name) for name in HOSTILE for n, day in enumerate(DAYS)]
    named = [Value(name, 2.0, 1.0, 3.0, note=name) for name in HOSTILE]
    limits = [Limit(2.0, MARKUP), Limit(1.0, "its own", series=MARKUP)]
    share = Axis("share", low=0, high=1)
    return (
        line(words("line"), alone, x=DAY, y=AMOUNT, limits=limits),
        points(words("points"), alone, x=DAY, y=AMOUNT, limits=limits),
        multiples(words("multiples"), many, x=DAY, y=AMOUNT, limits=limits),
        stacked(words("stacked"), many, x=DAY, y=AMOUNT, order=HOSTILE),
        bars(words("bars"), named, x=WHO, y=AMOUNT, limits=limits),
        dots(words("dots"), named, x=WHO, y=AMOUNT, limits=limits),
        histogram(words("histogram"), [Bin(0, 1, 3), Bin(1, 2, 5)], x=AMOUNT, y=Axis("rows")),
        roc(words("roc"), [(0, 0), (0.2, 0.7), (1, 1)], x=share, y=share),
        pr(words("pr"), [(0, 1), (0.5, 0.8), (1, 0.3)], x=share, y=share, base=0.3),
        calibration(
            words("calibration"),
            [Value(0.1, 0.12, 0.08, 0.15), Value(0.6, 0.5, 0.4, 0.6)],
            x=share,
            y=share,
            noise=[Value(0, None, 0, 0.05), Value(0.6, None, 0.5, 0.7)],
        ),
        heat(
            words("heat"),
            [Place(a, b, 3.0, "3") for a in HOSTILE for b in ("to", "fro")],
            x=WHO,
            y=WHO,
            amount=Axis("returns"),
        ),
    )
