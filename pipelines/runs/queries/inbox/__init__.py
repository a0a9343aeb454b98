"""The inbox: what waits for a person, what they wait for, and what they did last.

Fourteen queries, whatever there is; each list is cut at MOST rows, the most urgent first.
"""

from dataclasses import dataclass
from datetime import datetime

from personas.models import User
from pipelines.runs.queries.clock import now
from pipelines.runs.queries.inbox.done import done
from pipelines.runs.queries.inbox.findings import open_findings, to_resolve
from pipelines.runs.queries.inbox.gates import may_decide, open_gates, reviews_of_mine, to_decide
from pipelines.runs.queries.inbox.hand_offs import offers, offers_of_mine, open_hand_offs
from pipelines.runs.queries.inbox.items import (
    free_items,
    held,
    help_of_mine,
    on_hold,
    open_items,
)
from pipelines.runs.queries.inbox.rows import MOST, InboxRow, hats_of
from pipelines.runs.queries.inbox.stages import (
    computing,
    free_stages,
    is_back,
    open_stages,
    returned,
)

__all__ = ["Inbox", "InboxRow", "Section", "inbox", "waiting_for"]


@dataclass(frozen=True)
class Section:
    """One heading of the inbox with its rows."""

    key: str
    title: str
    rows: list[InboxRow]
    empty: str

    @property
    def cut(self) -> bool:
        """Whether there may be more than is shown."""
        return len(self.rows) >= MOST


@dataclass(frozen=True)
class Inbox:
    """All sections, as of `now`. `waiting` counts what waits for this person."""

    now: datetime
    sections: list[Section]

    @property
    def waiting(self) -> int:
        """How many rows ask something of this person."""
        calls = ("decide", "offered", "mine", "returned", "findings")
        return sum(len(section.rows) for section in self.sections if section.key in calls)


def inbox(user: User) -> Inbox:
    """Return the person's inbox."""
    hats = hats_of(user)
    gates = open_gates(user, hats)
    items = open_items(user, hats)
    hand_offs = open_hand_offs(user, hats)
    stages = open_stages(user, hats)
    busy = {item.stage_id for item in items}
    asked = {item.hand_off_id for item in items}
    sections = [
        Section(
            "decide",
            "Needs my decision",
            [to_decide(user, hats, gate) for gate in gates if may_decide(user, hats, gate)],
            "No gate waits for you: one comes when a stage of your use cases is to be reviewed.",
        ),
        Section(
            "returned",
            "Returned to me",
            [returned(stage) for stage in stages if stage.owner_id == user.pk and is_back(stage)],
            "Nothing was sent back to you. What is comes with its reason, and opens a round.",
        ),
        Section(
            "offered",
            "Offered to my persona",
            [*offers(user, hats, hand_offs), *free_items(items, user), *free_stages(stages, busy)],
            "Nobody is handing anything to your persona. Offers come once their contract is green.",
        ),
        Section(
            "mine",
            "My work",
            [held(item, user) for item in items if item.holder_id and not on_hold(item)],
            "You hold no work item. What you accept or take above stands here until it is done.",
        ),
        Section(
            "hold",
            "On hold",
            [held(item, user) for item in items if item.holder_id and on_hold(item)],
            "You put nothing aside. A work item's page does it, with a date or a question.",
        ),
        Section(
            "findings",
            "Findings to resolve",
            [to_resolve(hats, finding) for finding in open_findings(hats)],
            "No approval waits for evidence from your persona: conditions of approvals stand here.",
        ),
        Section(
            "others",
            "Waiting on others",
            [
                *reviews_of_mine(user, hats, gates),
                *help_of_mine(user),
                *offers_of_mine(user, hand_offs, asked),
                *computing(user, stages, busy),
            ],
            "You wait for nobody. Reviews of your work and offers you made stand here.",
        ),
        Section("done", "Done", done(user), "What you decide, accept and complete shows up here."),
    ]
    return Inbox(now(), sections)


def waiting_for(user: User) -> int:
    """Return how many rows of the inbox ask something of this person; nine queries."""
    hats = hats_of(user)
    items, stages = open_items(user, hats), open_stages(user, hats)
    busy = {item.stage_id for item in items}
    return (
        sum(may_decide(user, hats, gate) for gate in open_gates(user, hats))
        + len(offers(user, hats, open_hand_offs(user, hats)))
        + len([item for item in items if not on_hold(item)])
        + len(open_findings(hats))
        + len(list(free_stages(stages, busy)))
        + len([stage for stage in stages if stage.owner_id == user.pk and is_back(stage)])
    )
