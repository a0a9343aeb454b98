"""Carrying over: an approval holds for its content, in whatever round that is under review."""

from collections.abc import Sequence
from typing import Any

from personas.commands import Command
from pipelines.lifecycles import DecisionState, FindingState, Verdict
from pipelines.runs.models import Decision, Finding, Gate
from pipelines.runs.moves import born
from pipelines.runs.policies import Hat, not_deciding
from pipelines.runs.quorum import asked
from pipelines.runs.rows import Rows

CARRIED = (Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS)


def carry_over(command: Command, rows: Rows, gate: Gate) -> None:
    """Copy approvals people already gave to exactly this content; a refusal is never carried.

    Each person's last word on the content counts: a withdrawal or refusal ends their approval.
    Nothing is carried out of a gate whose approval lapsed: a rerun must not bring it back.
    """
    if not gate.policy["rules"]:
        return
    earlier = list(
        Decision.objects.filter(
            gate__run=rows.run,
            gate__stage__key=gate.stage.key,
            subject_digest=gate.subject_digest,
        )
        .exclude(gate=gate)
        .select_related("gate", "user", "on_behalf_of")
        .order_by("-id")
    )
    lapsed = _lapsed(earlier)
    spoken: set[int] = set()
    for given in earlier:
        last_word = spoken.isdisjoint(given.principals)
        spoken |= given.principals
        if not last_word:
            continue
        stands = given.state == DecisionState.IN_FORCE and given.verdict in CARRIED
        if stands and given.gate_id not in lapsed:
            _carry(command, rows, gate, given)


def _lapsed(decisions: Sequence[Decision]) -> set[int]:
    """Return the gates among those decided in whose approval has lapsed."""
    gates = {decision.gate_id for decision in decisions}
    if not gates:
        return set()
    rows = Finding.objects.filter(gate__in=gates, state=FindingState.LAPSED)
    return set(rows.values_list("gate_id", flat=True))


def _rules_of(gate: Gate) -> dict[str, Any]:
    """Return what the person approved under; whom a rule counted when it opened is no part."""
    rules = [asked(rule) for rule in gate.policy["rules"]]
    return {**gate.policy, "rules": rules}


def _carry(command: Command, rows: Rows, gate: Gate, given: Decision) -> None:
    hat, giver = Hat.of(given.user, rows.run), given.on_behalf_of
    if _rules_of(given.gate) != _rules_of(gate) or not_deciding(hat, gate, giver):
        return
    copy = Decision(
        gate=gate,
        user=given.user,
        on_behalf_of=giver,
        personas=list(hat.of_giver(giver) if giver else hat.personas),
        verdict=given.verdict,
        reason=given.reason,
        conditions=given.conditions,
        subject_digest=gate.subject_digest,
        command=command.id,
        at=command.now,
        carried_from=given,
    )
    born(command, copy, "carry_over", run=rows.run, data={"from": given.pk})
