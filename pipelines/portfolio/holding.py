"""What a list of runs needs to say who holds each, and to draw its relay: six queries."""

from collections.abc import Sequence

from django.db.models import Prefetch, prefetch_related_objects

from pipelines.lifecycles import GATE, WORK_ITEM, DecisionState
from pipelines.runs.models import Check, Decision, Gate, HandOff, Run, Stage, Step, WorkItem
from pipelines.runs.queries.baton import MOVING

LIGHT = ("id", "key", "position", "stage_id", "run_id", "state", "hand_off_id")


def fetch_light(runs: Sequence[Run]) -> None:
    """Fetch what `baton_of` and `track_of` look at, but of steps only those that move.

    So `why` must not be shown: it counts the steps that are done, and the checks.
    """
    decisions = Decision.objects.filter(state=DecisionState.IN_FORCE)
    gates = (
        Gate.objects.filter(state__in=GATE.open)
        .defer("pack")
        .prefetch_related(
            Prefetch("decisions", decisions.select_related("user", "on_behalf_of"), "in_force"),
            Prefetch("checks", Check.objects.none(), to_attr="judged"),
        )
    )
    prefetch_related_objects(
        list(runs),
        Prefetch(
            "stages",
            Stage.objects.select_related("owner", "returned_by").order_by("created_at", "id"),
            to_attr="all_stages",
        ),
        Prefetch(
            "hand_offs",
            HandOff.objects.select_related("source__owner", "target", "offered_by").order_by("id"),
            to_attr="all_hand_offs",
        ),
        Prefetch("gates", gates, to_attr="open_gates"),
        Prefetch(
            "items",
            WorkItem.objects.filter(state__in=WORK_ITEM.open).select_related("holder"),
            to_attr="open_items",
        ),
        Prefetch(
            "steps",
            Step.objects.filter(hand_off=None, state__in=MOVING).only(*LIGHT),
            to_attr="all_steps",
        ),
    )
