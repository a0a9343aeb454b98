"""How far giver and receiver of a hand-off stand apart, and what that asks of its checklist. Pure.

Thresholds are the catalogue's (section 2, own): above 50 points the full checklist and a
walk-through together, from 20 the full one, below that the short one: without the lines that the
blueprint marks as detail, which those who work alike do not need to be told.
"""

import re
from datetime import date, timedelta
from typing import Final

from pipelines.blueprints.spec import ChecklistEntry, HandOffDef

WIDE: Final = 50  # points of expertise
MODERATE: Final = 20

WALK_THROUGH: Final = ChecklistEntry(
    "walk_through", "Walk-through together: the day (as 2026-11-23), and who took part"
)
_DAY: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_NAME: Final = re.compile(r"[^\W\d_]{2,}")
TAKES_PART: Final = 2  # who gives and who takes, at the least
AHEAD: Final = timedelta(days=1)  # east of us it is tomorrow already
# Why a receiver returns what the gap's lines were to prevent; beside the reason codes of gates.
RETURN_CODES: Final = {
    "not_understood": "the receiver cannot tell what it means or how to use it",
    "no_walk_through": "nobody walked the receiver through it",
}


def checklist(definition: HandOffDef, gap: int) -> tuple[ChecklistEntry, ...]:
    """Return the checklist: the blueprint's lines that the gap asks for, and what it adds to them.

    What is accepted by itself has nobody to walk through it.
    """
    full = gap >= MODERATE
    own = tuple(entry for entry in definition.checklist if full or not entry.detail)
    known = {entry.key for entry in own}
    wide = gap > WIDE and definition.accept != "auto" and WALK_THROUGH.key not in known
    return (*own, WALK_THROUGH) if wide else own


def walk_through_problem(said: str, *, today: date) -> str:
    """Return what a statement of a walk-through lacks: its day, or who took part; else nothing."""
    found = _DAY.search(said)
    try:
        day = date.fromisoformat(found.group()) if found else None
    except ValueError:
        day = None
    if day is None:
        return "must name the day as year-month-day, such as 2026-11-23"
    if day > today + AHEAD:
        return f"names {day}, which is yet to come: walk through it first"
    people = _NAME.findall(_DAY.sub(" ", said))
    if len([name for name in people if name.lower() != "and"]) < TAKES_PART:
        return "must name who took part: who gives and who takes, at the least"
    return ""


def asks_a_person(definition: HandOffDef, gap: int) -> bool:
    """Whether somebody has to fill in the checklist before the offer."""
    return any(entry.value is None for entry in checklist(definition, gap))
