"""Percent rules: who is counted, fixed when a gate opens."""

from pipelines.runs.models import Gate
from pipelines.runs.policies import not_independent
from pipelines.runs.quorum import frozen
from pipelines.usecases.models import Seat


def freeze(gate: Gate) -> None:
    """Write into a gate that is about to open whom its percentages are of, and how many that asks.

    Counted are those with a seat of the persona who may decide: no author of the subject, nobody
    whom the gate excludes, no service account. Who is away counts; their deputy decides for them.
    """
    rules = gate.policy["rules"]
    wanted = [rule["persona"] for rule in rules if rule.get("percent") is not None]
    if not wanted:
        return
    base: dict[str, list[int]] = {persona: [] for persona in wanted}
    seats = Seat.objects.filter(
        use_case_id=gate.run.use_case_id, until=None, user__is_active=True, persona__in=wanted
    )
    for seat in seats.select_related("user"):
        if not_independent(seat.user, gate) is None:
            base[seat.persona_id].append(seat.user_id)
    gate.policy["rules"] = [frozen(rule, base.get(rule["persona"], ())) for rule in rules]
