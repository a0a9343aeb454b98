"""What the specifications of all kinds begin with. Pure."""

from typing import Final

from pipelines.charts.figure import TIME, Axis, Spec
from pipelines.charts.theme import CONFIG

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
WIDTH: Final = 560  # px on a page that draws without scripts; scripts fit it to its box
ROW: Final = 24  # px of a row of bars or dots


def head(*, fit: str) -> Spec:
    """Return the schema, the look, and how it fits its box: "width", "square" or "facet"."""
    found: Spec = {"$schema": SCHEMA, "config": CONFIG, "usermeta": {"fit": fit}}
    if fit == "width":
        found["autosize"] = {"type": "fit-x", "contains": "padding"}
    return found


def scale(axis: Axis) -> Spec:
    """Return an axis' ends, and that its times are the same days for every reader."""
    found: Spec = {}
    if axis.kind == TIME:
        found["type"] = "utc"
    if axis.is_log:
        found |= {"type": "log", "clamp": True}  # what is nothing lies on the low end
    if axis.padding:
        found["padding"] = axis.padding
    if not axis.has_zero:
        found["zero"] = False
    if axis.low is not None:
        found["domainMin"] = axis.low
    if axis.high is not None:
        found["domainMax"] = axis.high
    return found
