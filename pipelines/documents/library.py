"""Every document by its name, with what makes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from pipelines.documents import briefs, card, datasheet, handoff, validation, views
from pipelines.documents.frameworks import FRAMEWORKS
from pipelines.documents.pack import Pack
from pipelines.documents.tree import Document

Build = Callable[[Pack], Document]


@dataclass(frozen=True)
class Kind:
    """A kind of document: its name in addresses, what it is called, whom it is for."""

    key: str
    title: str
    about: str
    build: Build


_OWN: Final = (
    Kind("model-card", "Model card", "What it is, how good, and where not to use it", card.build),
    Kind(
        "datasheet", "Datasheet", "Origin, content, treatment, rights of the data", datasheet.build
    ),
    Kind("validation-report", "Validation report", "Every check and decision", validation.build),
    Kind("hand-off-sheet", "Hand-off sheet", "What passed from whom to whom", handoff.build),
    Kind("decision-brief", "Decision brief", "The same evidence in seven voices", briefs.build),
)
_VIEWS: Final = tuple(
    Kind(
        one.key,
        one.title,
        "Row by row: computed, attested, missing",
        partial(views.build, framework=one),
    )
    for one in FRAMEWORKS
)
KINDS: Final[Mapping[str, Kind]] = {kind.key: kind for kind in (*_OWN, *_VIEWS)}
VOICES: Final = briefs.VOICES


def build(kind: str, pack: Pack, *, voice: str = "") -> Document:
    """Return a document; a voice narrows the decision brief. Raises KeyError for no such kind."""
    if kind == "decision-brief":
        return briefs.build(pack, voice=voice)
    return KINDS[kind].build(pack)
