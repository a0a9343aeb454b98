"""What a person may decide in a gate: each verdict with what it leads to and what forbids it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count

from personas.errors import Conflict, DomainError, Gone
from pipelines.lifecycles import GateState, RunState, Verdict
from pipelines.runs.models import Decision, Gate, Stage
from pipelines.runs.queries import names
from pipelines.runs.queries.checks import CheckView
from pipelines.runs.rounds import RERUN
from pipelines.runs.rows import stage_def

VERDICTS: Mapping[str, str] = {
    Verdict.APPROVE: "Approve",
    Verdict.APPROVE_WITH_CONDITIONS: "Approve with conditions",
    Verdict.REQUEST_CHANGES: "Request changes",
    Verdict.REJECT: "Reject",
    Verdict.ABSTAIN: "Abstain",
    Verdict.WITHDRAW: "Withdraw my decision",
}


@dataclass(frozen=True)
class Choice:
    """A verdict with what it leads to, and the error that forbids it (None: it may be taken)."""

    verdict: str
    label: str
    leads_to: str
    refusal: DomainError | None


@dataclass(frozen=True)
class Target:
    """A stage that changes may be asked of, with the rounds it has left."""

    key: str
    title: str
    left: int


def closed(gate: Gate) -> DomainError | None:
    """Return why nobody decides here now: the gate is closed, or its run stands still."""
    if gate.state != GateState.OPEN:
        at = f" at {gate.closed_at:%d %b %H:%M}" if gate.closed_at else ""
        by = f"{gate.closed_by} closed this gate{at}." if gate.closed_by else f"Closed{at}."
        if gate.state in (GateState.EXPIRED, GateState.CLOSED_UNDECIDED):
            return Gone("gate_closed", f"{by} {gate.closing_reason}".strip(), at=gate.closed_at)
        return Conflict("already_decided", by, at=gate.closed_at, by=str(gate.closed_by or ""))
    if gate.run.state != RunState.RUNNING:
        code = "run_paused" if gate.run.state == RunState.PAUSED else "run_not_running"
        return Conflict(code, f"{gate.run.label} is {gate.run.state.lower()}: {gate.run.reason}")
    return None


def targets(gate: Gate) -> tuple[Target, ...]:
    """Return where changes may be asked of; rounds are counted as `rounds.rounds_left` does."""
    wanted = gate.policy["send_back_to"]
    sent = Stage.objects.filter(run=gate.run_id, key__in=wanted).exclude(return_reason="")
    counted = sent.exclude(return_code=RERUN).values_list("key").annotate(n=Count("id"))
    had = dict(counted.order_by())
    found = [stage_def(gate.run, key) for key in wanted]
    return tuple(
        Target(one.key, one.title, one.max_rounds - 1 - had.get(one.key, 0)) for one in found
    )


def choices(
    gate: Gate,
    refusal: DomainError | None,
    *,
    checks: Sequence[CheckView],
    targets: Sequence[Target],
    mine: Decision | None,
) -> list[Choice]:
    """Return every verdict; `refusal` forbids them all."""
    names_of_red = [check.title for check in checks if check.blocks]
    waits = f"Approval waits for: {', '.join(names_of_red)}."
    red = Conflict("check_red", waits) if names_of_red else None
    own: dict[str, DomainError | None] = {
        Verdict.APPROVE: red,
        Verdict.APPROVE_WITH_CONDITIONS: red or _no_conditions(gate),
        Verdict.REQUEST_CHANGES: _no_target(targets),
        Verdict.WITHDRAW: None
        if mine
        else Conflict("nothing_to_withdraw", "You have no decision in force here."),
    }
    return [
        Choice(verdict, label, _leads_to(gate, verdict, targets), refusal or own.get(verdict))
        for verdict, label in VERDICTS.items()
    ]


def _no_conditions(gate: Gate) -> DomainError | None:
    if gate.policy.get("conditions", True):
        return None
    return Conflict("no_conditions", "This gate takes no conditions.")


def _no_target(targets: Sequence[Target]) -> DomainError | None:
    if not targets:
        return Conflict("no_target", "This gate names no stage to send back to.")
    if all(target.left < 1 for target in targets):
        return Conflict("max_rounds", "Every stage it could go back to has had all its rounds.")
    return None


def _leads_to(gate: Gate, verdict: str, targets: Sequence[Target]) -> str:
    opens = [definition.title for definition in names.opened_by(gate.run, gate.stage.key)]
    if verdict == Verdict.APPROVE:
        asked = names.personas_asked(gate.policy["rules"])
        return f"Once {asked} approved: {' and '.join(opens) or 'the run is done'}."
    if verdict == Verdict.APPROVE_WITH_CONDITIONS:
        return "Counts as an approval; each condition becomes a finding, and overdue it lapses."
    if verdict == Verdict.REQUEST_CHANGES:
        return "Opens the next round of the stage you name; what did not change is reused."
    if verdict == Verdict.REJECT:
        ends = {
            "fail_run": "The run fails.",
            "end_rejected": "The run ends as rejected.",
            "send_back": f"It goes back to {targets[0].title}." if targets else "The run ends.",
        }
        return ends.get(gate.policy["on_reject"], "")
    if verdict == Verdict.ABSTAIN:
        return "You leave it to the others; it counts neither way."
    return "Your decision counts no more; the gate stays open."
