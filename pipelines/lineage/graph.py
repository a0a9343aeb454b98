"""The lineage of a run as a graph: things (by digest) and the steps between them. Pure.

A node's id is stable: an artefact is its digest, a step its attempt. `spine` marks what led to the
registered version (or, before there is one, to the last model), and what came of it.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

RAW, ARTEFACT, STEP, WINDOW = "raw", "artefact", "step", "window"
MODEL, DEPLOYMENT, PREDICTIONS = "model", "deployment", "predictions"
TABLES: Final = ("parquet", "csv")
FETCH: Final = "fetch"
LONGEST_ASKED: Final = 160  # characters of a query in a node (own); the step has all of it


@dataclass(frozen=True)
class Part:
    """An artefact as a step names it."""

    name: str
    digest: str
    media: str
    size: int | None = None


@dataclass(frozen=True)
class Performed:
    """A step of a present round with the attempt whose result counts.

    `feeds` are (port, feed, what it gathered for this attempt, or None where there was nothing).
    """

    attempt: int
    step: int
    place: str
    title: str
    operation: str
    version: int
    seed: int
    inputs: tuple[tuple[str, Part], ...] = ()
    feeds: tuple[tuple[str, str, Part | None], ...] = ()
    outputs: tuple[Part, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    started_at: str = ""
    finished_at: str = ""
    cached_from: int | None = None
    package: Mapping[str, Any] = field(default_factory=dict)  # whose code; empty of Baton's own


@dataclass(frozen=True)
class Served:
    """A deployment of a version, with the answers it gave."""

    pk: int
    mode: str
    share: float
    started_at: str
    ended_at: str
    answers: int
    first: str = ""
    last: str = ""


@dataclass(frozen=True)
class Version:
    """A registered version of a model."""

    pk: int
    name: str
    number: int
    state: str
    package: str
    approval: int | None = None
    deployments: tuple[Served, ...] = ()


@dataclass(frozen=True)
class Record:
    """What the graph of one run is made from."""

    run: int
    label: str
    use_case: str
    blueprint: str
    blueprint_digest: str
    inputs: tuple[tuple[str, Part], ...] = ()
    steps: Sequence[Performed] = ()
    versions: Sequence[Version] = ()


@dataclass(frozen=True)
class Node:
    """A thing or a step. `code` is the operation with its version, of a step and what it made."""

    id: str
    kind: str
    title: str
    detail: str = ""
    digest: str = ""
    media: str = ""
    rows: int | None = None
    size: int | None = None
    code: str = ""
    path: str = ""
    spine: bool = False


@dataclass(frozen=True)
class Edge:
    """What went where; `port` is the name the step knows it by."""

    source: str
    target: str
    port: str = ""


@dataclass(frozen=True)
class Graph:
    """Nodes in the order they came to be, and the edges between them."""

    run: int
    label: str
    blueprint: str
    blueprint_digest: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def node(self, key: str) -> Node:
        """Return a node by its id. Raises KeyError."""
        return {node.id: node for node in self.nodes}[key]


def build(record: Record) -> Graph:
    """Return the graph of a run's present rounds."""
    nodes: dict[str, Node] = {}
    edges: dict[Edge, None] = {}
    _raw(record, nodes)
    for step in record.steps:
        _step(record, step, nodes, edges)
    for version in record.versions:
        _version(version, nodes, edges)
    found = _spine(record, nodes, edges)
    return Graph(
        run=record.run,
        label=record.label,
        blueprint=record.blueprint,
        blueprint_digest=record.blueprint_digest,
        nodes=tuple(replace(node, spine=node.id in found) for node in nodes.values()),
        edges=tuple(edges),
    )


def _raw(record: Record, nodes: dict[str, Node]) -> None:
    rows = _rows_of_files(record.steps)
    for name, part in record.inputs:
        nodes.setdefault(
            part.digest,
            Node(
                part.digest, RAW, part.name, f"brought as run.{name}", part.digest, part.media,
                rows.get(part.name), part.size, path=_content(part.digest),
            ),
        )  # fmt: skip


def _rows_of_files(steps: Iterable[Performed]) -> dict[str, int]:
    """How many rows the reading step found in each file that was brought."""
    found: dict[str, int] = {}
    for step in steps:
        files = step.facts.get("files")
        for one in files if isinstance(files, list) else ():
            if isinstance(one, Mapping) and isinstance(one.get("rows"), int):
                found[str(one.get("name"))] = one["rows"]
    return found


def code_of(step: Performed) -> str:
    """The operation with its version, and the package that brought it."""
    code = f"{step.operation} v{step.version}"
    if not step.package:
        return code
    whose = f"{step.package['distribution']} {step.package['version']}"
    return f"{code} of {whose} ({str(step.package['digest'])[:12]})"


def _step(record: Record, step: Performed, nodes: dict[str, Node], edges: dict[Edge, None]) -> None:
    if step.operation == FETCH and not step.outputs:
        return  # the run was given files: it had nothing to read, and led to nothing
    key = f"attempt:{step.attempt}"
    code = code_of(step)
    where = f"/runs/{record.run}/#step-{step.step}"
    nodes[key] = Node(key, STEP, step.title, step.place, code=code, path=where)
    for port, part in step.inputs:
        nodes.setdefault(
            part.digest,
            Node(part.digest, ARTEFACT, part.name, "made elsewhere", part.digest, part.media,
                 path=_content(part.digest)),
        )  # fmt: skip
        edges[Edge(part.digest, key, port)] = None
    for port, feed, made in step.feeds:
        window = _window(step, feed, made)
        nodes.setdefault(window.id, window)
        edges[Edge(window.id, key, port)] = None
    for part in step.outputs:
        nodes.setdefault(
            part.digest,
            Node(
                part.digest, ARTEFACT, part.name, _origin(step), part.digest, part.media,
                rows_of(part, step.facts), part.size, code, _content(part.digest),
            ),
        )  # fmt: skip
        edges[Edge(key, part.digest, part.name)] = None


def _origin(step: Performed) -> str:
    """Where an output is from: the step; of a fetch also through what, what was asked, and when."""
    if step.operation != FETCH:
        return step.place
    asked = " ".join(str(step.facts.get("asked", "")).split())
    short = asked if len(asked) <= LONGEST_ASKED else f"{asked[:LONGEST_ASKED]}…"
    at = step.finished_at[:16].replace("T", " ")
    return f"read through {step.facts.get('connection')} at {at} UTC: {short}"


def _window(step: Performed, feed: str, made: Part | None) -> Node:
    """What a feed gathered for the step; one that had nothing to give has left no content."""
    title = feed.replace("_", " ")
    if made is None:
        return Node(f"window:{step.attempt}:{feed}", WINDOW, title, "there was none")
    detail = "gathered just before the step"
    return Node(made.digest, WINDOW, title, detail, made.digest, made.media, None, made.size,
                path=_content(made.digest))  # fmt: skip


def rows_of(part: Part, facts: Mapping[str, Any]) -> int | None:
    """Return how many rows a table has, as the step that made it counted; None for no table."""
    parts = facts.get("parts")
    own = parts.get(part.name) if isinstance(parts, Mapping) else None
    found = own.get("rows") if isinstance(own, Mapping) else None
    if found is None and part.media in TABLES:
        found = facts.get("rows")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _content(digest: str) -> str:
    return f"/api/v1/artefacts/{digest}/content"


def _version(version: Version, nodes: dict[str, Node], edges: dict[Edge, None]) -> None:
    key = f"version:{version.pk}"
    where = f"/models/{version.name}/"
    title = f"{version.name} v{version.number}"
    nodes[key] = Node(key, MODEL, title, version.state.lower(), version.package, path=where)
    edges[Edge(version.package, key, "package")] = None
    for served in version.deployments:
        deployed = f"deployment:{served.pk}"
        share = "" if served.share >= 1 else f", {served.share:.0%} of the callers"
        until = f" to {served.ended_at[:16]}" if served.ended_at else ", still"
        detail = f"from {served.started_at[:16]}{until}{share}".replace("T", " ")
        nodes[deployed] = Node(deployed, DEPLOYMENT, served.mode, detail, path=where)
        edges[Edge(key, deployed)] = None
        if served.answers:
            answers = f"predictions:{served.pk}"
            span = f"{served.first[:10]} to {served.last[:10]}" if served.first else ""
            nodes[answers] = Node(
                answers, PREDICTIONS, f"predictions in {served.mode}", span,
                rows=served.answers, path=where,
            )  # fmt: skip
            edges[Edge(deployed, answers)] = None


def _spine(record: Record, nodes: Mapping[str, Node], edges: Iterable[Edge]) -> set[str]:
    """What led to the versions, or to the last model, and what came of the versions."""
    back, forth = defaultdict(list), defaultdict(list)
    for edge in edges:
        back[edge.target].append(edge.source)
        forth[edge.source].append(edge.target)
    goals = [f"version:{version.pk}" for version in record.versions]
    found = _reach(goals, back) | _reach(goals, forth)
    if not goals:
        made = [node.id for node in nodes.values() if node.kind == ARTEFACT]
        models = [key for key in made if nodes[key].media in ("skops", "zip", "onnx")]
        found = _reach((models or made)[-1:], back)
    return found


def _reach(starts: Iterable[str], links: Mapping[str, list[str]]) -> set[str]:
    found, left = set(starts), deque(starts)
    while left:
        for key in links.get(left.popleft(), ()):
            if key not in found:
                found.add(key)
                left.append(key)
    return found
