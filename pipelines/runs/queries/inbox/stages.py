"""Stages in the inbox: free to take, sent back, or being computed."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q

from personas.models import User
from pipelines.lifecycles import StageState
from pipelines.runs.models import Stage, Step
from pipelines.runs.queries import names
from pipelines.runs.queries.inbox.rows import (
    MOST,
    RUN,
    URGENT_FIRST,
    Hats,
    InboxRow,
    codes_of,
    wears,
)


def open_stages(user: User, hats: Hats) -> list[Any]:
    """Active stages that are the person's, or that nobody of their persona has taken."""
    free = Q(owner=None, run__use_case__in=list(hats), persona__in=codes_of(hats))
    done = Count("steps", filter=Q(steps__hand_off=None, steps__state="SUCCEEDED"))
    rows = (
        Stage.objects.filter(Q(owner=user) | free, state=StageState.ACTIVE, current=True)
        .filter(run__state="RUNNING")
        .select_related(*RUN, "returned_by")
        .annotate(
            steps_done=done,
            steps_all=Count("steps", filter=Q(steps__hand_off=None)),
            failed=Exists(Step.objects.filter(stage=OuterRef("pk"), state="FAILED")),
        )
        .order_by(URGENT_FIRST, "id")[:MOST]
    )
    return [s for s in rows if s.owner_id == user.pk or wears(hats, s.run, [s.persona_id])]


def is_back(stage: Stage) -> bool:
    return bool(stage.return_code) and stage.return_code != "rerun"


def _stage(stage: Stage, **changes: Any) -> InboxRow:
    title = names.stage_title(stage.run, stage.key)
    fields: dict[str, Any] = {
        "noun": "run",
        "pk": stage.run_id,
        "asked": title + (f", round {stage.round}" if stage.round > 1 else ""),
        "run": stage.run,
        "persona": stage.persona_id,
        "since": stage.activated_at or stage.created_at,
        "due": stage.due_at,
        "state": stage.state,
        "button": "Open the run",
    }
    return InboxRow(**{**fields, **changes})


def returned(stage: Stage) -> InboxRow:
    return _stage(
        stage,
        asked=f"{names.stage_title(stage.run, stage.key)} came back: round {stage.round}",
        by=str(stage.returned_by or ""),
        why=f"“{stage.return_reason}” ({stage.return_code.replace('_', ' ')})",
    )


def free_stages(stages: list[Any], busy: set[int]) -> Iterator[InboxRow]:
    """Stages without an owner; one whose items are offered anyway is taken with its first item."""
    for stage in stages:
        if stage.owner_id is None and stage.pk not in busy:
            yield _stage(
                stage,
                asked=f"Take {names.stage_title(stage.run, stage.key)}",
                why="Nobody owns it yet; taking it makes you accountable for it.",
                button="Take it",
                act="take",
                act_pk=stage.pk,
            )


def computing(user: User, stages: list[Any], busy: set[int]) -> Iterator[InboxRow]:
    for stage in stages:
        if stage.owner_id != user.pk or stage.pk in busy or stage.steps_all == 0:
            continue
        yield _stage(
            stage, why=f"Workers have done {stage.steps_done} of {stage.steps_all} steps so far."
        )
