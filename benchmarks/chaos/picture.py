"""The picture: throughput and latency over time, the faults marked; an SVG written by hand."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

from benchmarks.chaos.havoc import Blow

WIDTH, LEFT, RIGHT, TOP, HEIGHT, GAP = 1100, 70, 20, 70, 220, 60
COLOURS = {
    "worker": "#b45309", "child": "#a16207", "engine": "#7c3aed", "web": "#0369a1",
    "redis": "#be123c", "postgres": "#166534", "long": "#475569",
}  # fmt: skip
Series = Sequence[tuple[float, float]]


def picture(
    *,
    seconds: float,
    steps: Series,
    panels: Mapping[str, Series],
    blows: Sequence[Blow],
    began: float,
) -> str:
    """Return the SVG: steps a second above, latencies in ms (p95 of each moment) below."""
    whole = TOP + 2 * HEIGHT + GAP + 50

    def x(at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at / max(seconds, 1)

    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {whole}" '
            'font-family="sans-serif" font-size="12" role="img" '
            'aria-label="Throughput and latency over time, with faults">'
        ),
        f'<rect width="{WIDTH}" height="{whole}" fill="#fff"/>',
        (
            f'<text x="{LEFT}" y="22" font-size="15">Finished steps a second, and latency, '
            "under faults</text>"
        ),
    ]
    parts += _legend(blows)
    for blow in blows:
        at = x(blow.at - began)
        title = f"{blow.at - began:.0f} s: {blow.fault} ({blow.target})"
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{TOP + 2 * HEIGHT + GAP}" '
            f'stroke="{_colour(blow)}" stroke-opacity="0.45"><title>{escape(title)}</title></line>'
        )
    parts += _panel("steps/s", {"steps": steps}, top=TOP, x=x)
    parts += _panel("ms (p95)", panels, top=TOP + HEIGHT + GAP, x=x)
    parts += _axis(seconds, bottom=TOP + 2 * HEIGHT + GAP, x=x)
    return "\n".join([*parts, "</svg>\n"])


def _colour(blow: Blow) -> str:
    return COLOURS.get(blow.fault.split()[0], "#000")


def _legend(blows: Sequence[Blow]) -> list[str]:
    kinds = list(dict.fromkeys(blow.fault.split()[0] for blow in blows))
    parts = []
    for place, kind in enumerate(kinds):
        at = LEFT + 110 * place
        count = sum(blow.fault.split()[0] == kind for blow in blows)
        parts.append(
            f'<rect x="{at}" y="36" width="10" height="10" fill="{COLOURS.get(kind, "#000")}"/>'
            f'<text x="{at + 15}" y="46">{escape(kind)} ({count})</text>'
        )
    return parts


def _panel(
    unit: str, lines: Mapping[str, Series], *, top: int, x: Callable[[float], float]
) -> list[str]:
    largest = max((value for line in lines.values() for _, value in line), default=1.0) or 1.0
    parts = [
        (
            f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{HEIGHT}" '
            'fill="none" stroke="#cbd5e1"/>'
        ),
        f'<text x="8" y="{top - 14}">{escape(unit)}</text>',
    ]
    for share in (0.0, 0.5, 1.0):
        y = top + HEIGHT * (1 - share)
        text = f"{largest * share:.0f}"
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    strokes = ("#0f172a", "#0369a1", "#b45309")
    for (name, line), stroke in zip(lines.items(), strokes, strict=False):
        points = " ".join(
            f"{x(at):.1f},{top + HEIGHT * (1 - value / largest):.1f}" for at, value in line
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{stroke}" stroke-width="1.5"/>'
        )
        if len(lines) > 1:
            number = list(lines).index(name)
            at = WIDTH - RIGHT - 250 * (len(lines) - number)
            parts.append(f'<text x="{at}" y="{top - 6}" fill="{stroke}">{escape(name)}</text>')
    return parts


def _axis(seconds: float, *, bottom: int, x: Callable[[float], float]) -> list[str]:
    step = next(s for s in (10, 30, 60, 120, 300, 600, 3600) if seconds / s <= 12 or s == 3600)
    marks = range(0, int(seconds) + 1, step)
    return [
        f'<text x="{x(mark):.1f}" y="{bottom + 18}" text-anchor="middle">'
        f"{mark // 60}:{mark % 60:02d}</text>"
        for mark in marks
    ]
