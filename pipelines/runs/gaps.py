"""How far giver and receiver of a hand-off stand apart, and what that asks of its checklist. Pure.

Thresholds are the catalogue's (section 2, own): above 50 points the full checklist and a
walk-through together, from 20 the full one, below that the short one, the blueprint's own lines.
"""

from typing import Final

from pipelines.blueprints.spec import ChecklistEntry, HandOffDef

WIDE: Final = 50  # points of expertise
MODERATE: Final = 20

WALK_THROUGH: Final = ChecklistEntry(
    "walk_through", "Walk-through together: when it was, and who took part"
)
# Why a receiver returns what the gap's lines were to prevent; beside the reason codes of gates.
RETURN_CODES: Final = {
    "not_understood": "the receiver cannot tell what it means or how to use it",
    "no_walk_through": "nobody walked the receiver through it",
}


def checklist(definition: HandOffDef, gap: int) -> tuple[ChecklistEntry, ...]:
    """Return the checklist: the blueprint's lines, and what the gap adds to them.

    What is accepted by itself has nobody to walk through it.
    """
    own = definition.checklist
    known = {entry.key for entry in own}
    wide = gap > WIDE and definition.accept != "auto" and WALK_THROUGH.key not in known
    return (*own, WALK_THROUGH) if wide else own


def asks_a_person(definition: HandOffDef, gap: int) -> bool:
    """Whether somebody has to fill in the checklist before the offer."""
    return any(entry.value is None for entry in checklist(definition, gap))
