"""The spine of a lineage as a drawing: things in columns, each step a line between them. Pure.

Steps are not boxes of their own: what a step made names it. Places are in pixels.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.lineage.graph import STEP, WINDOW, Graph, Node

BOX_WIDTH: Final = 158.0
BOX_HEIGHT: Final = 58.0
COLUMN: Final = 206.0
ROW: Final = 76.0
MARGIN: Final = 8.0
LONGEST: Final = 22  # characters of a line in a box


@dataclass(frozen=True)
class Box:
    """A thing in its place."""

    node: Node
    x: float
    y: float
    lines: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Link:
    """A line from one thing to another; `text` is read out."""

    path: str
    text: str


@dataclass(frozen=True)
class Picture:
    """The whole drawing."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    links: tuple[Link, ...]


def draw(graph: Graph) -> Picture:
    """Return the drawing of the spine."""
    shown = {
        node.id: node for node in graph.nodes if node.spine and node.kind not in (STEP, WINDOW)
    }
    links = _links(graph, shown)
    columns = _columns(shown, links)
    places = _places(columns, links)
    boxes = tuple(_box(node, places[key]) for key, node in shown.items())
    most = max((len(column) for column in columns.values()), default=1)
    return Picture(
        width=round(MARGIN * 2 + max(len(columns) - 1, 0) * COLUMN + BOX_WIDTH, 1),
        height=round(MARGIN * 2 + (most - 1) * ROW + BOX_HEIGHT, 1),
        boxes=boxes,
        links=tuple(
            Link(_curve(places[source], places[target]), text)
            for (source, target), text in links.items()
        ),
    )


Links = dict[tuple[str, str], str]


def _links(graph: Graph, shown: Mapping[str, Node]) -> Links:
    """Thing to thing: through the step between them, or direct."""
    steps = {node.id: node for node in graph.nodes if node.kind == STEP}
    reads, found = defaultdict(list), {}
    for edge in graph.edges:
        if edge.target in steps and edge.source in shown:
            reads[edge.target].append(edge.source)
    for edge in graph.edges:
        if edge.source in steps and edge.target in shown:
            for source in reads[edge.source]:
                found[source, edge.target] = steps[edge.source].title
        elif edge.source in shown and edge.target in shown:
            found[edge.source, edge.target] = ""
    # What was served from the cache may have been made of itself by name; a line to itself is none.
    return {pair: text for pair, text in found.items() if pair[0] != pair[1]}


def _columns(shown: Mapping[str, Node], links: Links) -> dict[int, list[str]]:
    """Each thing one column to the right of the last it was made of."""
    sources = defaultdict(list)
    for source, target in links:
        sources[target].append(source)
    depths: dict[str, int] = {}

    def depth(key: str, path: frozenset[str]) -> int:
        if key not in depths:
            before = [one for one in sources[key] if one not in path]
            depths[key] = max((depth(one, path | {key}) + 1 for one in before), default=0)
        return depths[key]

    columns: dict[int, list[str]] = defaultdict(list)
    for key in shown:
        columns[depth(key, frozenset())].append(key)
    return dict(sorted(columns.items()))


def _places(columns: Mapping[int, list[str]], links: Links) -> dict[str, tuple[float, float]]:
    """Beside what they were made of: each column in the order of its sources' mean height."""
    heights: dict[str, float] = {}
    places = {}
    for number, (_, keys) in enumerate(columns.items()):
        means = {}
        for index, key in enumerate(keys):
            above = [heights[s] for s, t in links if t == key and s in heights]
            means[key] = sum(above) / len(above) if above else float(index)
        for index, key in enumerate(sorted(keys, key=lambda one: (means[one], keys.index(one)))):
            heights[key] = float(index)
            places[key] = (MARGIN + number * COLUMN, MARGIN + index * ROW)
    return places


def _box(node: Node, place: tuple[float, float]) -> Box:
    rows = f"{node.rows:,} rows".replace(",", "\u202f") if node.rows is not None else ""
    second = " \u00b7 ".join(part for part in (node.code, rows) if part) or node.detail
    third = node.digest[:12]
    lines = tuple(_cut(line) for line in (node.title, second, third) if line)
    text = ", ".join(p for p in (node.kind, node.title, node.detail, node.code, rows, third) if p)
    return Box(node, place[0], place[1], lines, text)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST + 4 else f"{text[: LONGEST + 3]}\u2026"


def _curve(source: tuple[float, float], target: tuple[float, float]) -> str:
    x, y = source[0] + BOX_WIDTH, source[1] + BOX_HEIGHT / 2
    to_x, to_y = target[0], target[1] + BOX_HEIGHT / 2
    middle = (x + to_x) / 2
    return f"M{x:.0f} {y:.0f} C{middle:.0f} {y:.0f} {middle:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"
