"""The one look of all charts, in the names of the style sheet's tokens. Pure.

A drawing says `var(--accent)`; on a page the browser resolves it, light or dark, at once when the
theme is changed. Where no style sheet is (a picture, a document), `resolved` writes the colours in.
"""

import re
from collections.abc import Mapping
from typing import Final

from pipelines.charts.figure import Spec

INK: Final = "var(--ink)"
INK_2: Final = "var(--ink-2)"
INK_3: Final = "var(--ink-3)"
LINE: Final = "var(--line)"
LINE_STRONG: Final = "var(--line-strong)"
SURFACE: Final = "var(--surface)"
MAIN: Final = "var(--chart-1)"
LIMIT: Final = "var(--bad)"
# Series: apart for colour-blind readers in both themes, strongest first.
SERIES: Final = tuple(f"var(--chart-{number})" for number in range(1, 9))
# Amounts, from little to much.
HEAT: Final = tuple(f"var(--heat-{number})" for number in range(7))
FONT: Final = "system-ui, sans-serif"

CONFIG: Final[Spec] = {
    "aria": False,
    "background": None,
    "font": FONT,
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "domainColor": LINE_STRONG,
        "gridColor": LINE,
        "tickColor": LINE_STRONG,
        "labelColor": INK_2,
        "titleColor": INK_2,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": 500,
        "labelLimit": 180,
        "tickSize": 4,
        "labelPadding": 4,
    },
    "axisY": {
        "domain": False,
        "ticks": False,
        # above the axis, read without turning the head
        "titleAngle": 0,
        "titleAlign": "left",
        "titleBaseline": "bottom",
        "titleX": 0,
        "titleY": -8,
    },
    "axisX": {"grid": False},
    "header": {
        "labelColor": INK,
        "labelFontSize": 12,
        "labelFontWeight": 600,
        "labelLimit": 155,
        "labelAnchor": "start",
        "title": None,
    },
    "legend": {
        "orient": "top",
        "labelColor": INK_2,
        "titleColor": INK_2,
        "labelFontSize": 11,
        "title": None,
        "labelLimit": 180,
        "symbolSize": 80,
        "columns": 4,
        "columnPadding": 24,
        "offset": 24,
    },
    "line": {"strokeWidth": 2, "color": MAIN, "strokeCap": "round", "strokeJoin": "round"},
    "area": {"color": MAIN, "line": False},
    "point": {"color": MAIN, "filled": True, "size": 40, "opacity": 1},
    "bar": {"color": MAIN, "cornerRadiusEnd": 2},
    "rule": {"color": INK_3},
    "text": {"color": INK_2, "fontSize": 11},
    "range": {"category": list(SERIES)},
}

_TOKEN = re.compile(r"--([a-z0-9-]+):\s*light-dark\(\s*([^,()]+)\s*,\s*([^,()]+?)\s*\)")
_USE = re.compile(r"var\(--([a-z0-9-]+)\)")


def tokens(css: str) -> dict[str, tuple[str, str]]:
    """Return the colours of a style sheet by name: (light, dark)."""
    return {name: (light.strip(), dark.strip()) for name, light, dark in _TOKEN.findall(css)}


def resolved(svg: str, colours: Mapping[str, tuple[str, str]], *, theme: str = "light") -> str:
    """Return a drawing with colours in place of names. Raises KeyError for an unknown name."""
    place = 1 if theme == "dark" else 0
    return _USE.sub(lambda found: colours[found[1]][place], svg)
