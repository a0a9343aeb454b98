"""What a track is drawn of: rectangles, paths and texts, in pixels."""

from dataclasses import dataclass

from pipelines.runs.queries.track import Bar

BAR = 20.0  # px of a bar's height


@dataclass(frozen=True)
class Box:
    """A rectangle of a bar: `kind` is work, wait, review or ahead."""

    kind: str
    persona: str
    x: float
    y: float
    width: float
    height: float
    text: str = ""


@dataclass(frozen=True)
class BarBox:
    """One round of a stage as it is drawn; `label` stands inside, `text` is read out."""

    fact: Bar
    x: float
    y: float
    width: float
    boxes: tuple[Box, ...]
    label: str
    text: str

    @property
    def middle(self) -> float:
        """The height of its centre line."""
        return self.y + BAR / 2


@dataclass(frozen=True)
class Line:
    """A path with its label: a hand-off or a return."""

    kind: str
    path: str
    label: str
    label_x: float
    label_y: float
    text: str
    open: bool = False


@dataclass(frozen=True)
class Lane:
    """One persona's lane."""

    persona: str
    title: str
    y: float
    height: float

    @property
    def middle(self) -> float:
        """The height of its centre line."""
        return self.y + self.height / 2


@dataclass(frozen=True)
class Tick:
    """A time above the lanes."""

    x: float
    label: str


@dataclass(frozen=True)
class Picture:
    """Everything that the template draws."""

    width: float
    height: float
    lanes: tuple[Lane, ...]
    bars: tuple[BarBox, ...]
    passes: tuple[Line, ...]
    returns: tuple[Line, ...]
    ahead: tuple[Box, ...]
    ticks: tuple[Tick, ...]
    now_x: float | None
    text: str


@dataclass(frozen=True)
class Spark:
    """The same at 24 px, for lists."""

    width: float
    boxes: tuple[Box, ...]
    returns: tuple[float, ...]
    now_x: float | None
    text: str
