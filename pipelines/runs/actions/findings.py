"""Findings: resolve them with evidence, give them more time, or let them lapse the approval."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Gone, Invalid, NotAllowed
from personas.ledger import Actor
from pipelines import catalogue
from pipelines.artefacts.models import Artefact
from pipelines.lifecycles import FindingState, RunState
from pipelines.runs import attention
from pipelines.runs.actions.locks import name_of, run_of
from pipelines.runs.conditions import MOST_DAYS
from pipelines.runs.effects import LapseContext
from pipelines.runs.models import Finding, Run
from pipelines.runs.moves import move
from pipelines.runs.policies import Hat, not_extending, not_resolving, refuse
from pipelines.runs.rows import load

LONGEST_EVIDENCE = 10_000
MOST_ARTEFACTS = 20
MOST_EXTENSIONS = 2  # own: whoever needs more time than that lets the gate decide again


def resolve(
    *,
    actor: Actor,
    finding: Finding,
    evidence: str,
    artefacts: Sequence[str] = (),
    key: str | None = None,
) -> Answer:
    """Resolve a finding with evidence: what was done, and the artefacts that show it.

    Its persona does that. Raises NotAllowed, Invalid, Conflict (finding_closed), Gone once it is
    overdue: the approval has lapsed then.
    """
    problems: dict[str, list[str]] = {}
    if not 1 <= len(evidence.strip()) <= LONGEST_EVIDENCE:
        problems["evidence"] = [f"must have 1 to {LONGEST_EVIDENCE} characters: what was done"]
    if len(artefacts) > MOST_ARTEFACTS:
        problems["artefacts"] = [f"has {len(artefacts)} entries; at most {MOST_ARTEFACTS}"]
    known = Artefact.objects.filter(digest__in=artefacts).values_list("digest", flat=True)
    unknown = sorted(set(artefacts) - set(known))
    if unknown:
        problems["artefacts"] = [f"there is no artefact {digest!r}" for digest in unknown]
    if problems:
        raise Invalid("The finding cannot be resolved.", fields=problems)

    def change(command: Command, locked: Finding, hat: Hat) -> None:
        refuse(not_resolving(hat, locked))
        giver = hat.behind(locked.persona_id)
        move(
            command,
            locked,
            "resolve",
            run=locked.run,
            evidence=evidence.strip(),
            artefacts=list(dict.fromkeys(artefacts)),
            resolved_by=hat.user,
            resolved_for=giver,
            closed_at=command.now,
            topic="finding.resolved",
            data={
                "evidence": evidence.strip(),
                "artefacts": list(artefacts),
                **({"for": str(giver)} if giver else {}),
            },
        )

    return _command(
        actor=actor,
        finding=finding,
        name="resolve_finding",
        change=change,
        key=key,
        request={"evidence": evidence, "artefacts": list(artefacts)},
    )


def extend(
    *, actor: Actor, finding: Finding, days: int, reason: str, key: str | None = None
) -> Answer:
    """Give a finding more time: it is due `days` from now. One who may decide in its gate does.

    Raises NotAllowed, Invalid, Conflict (finding_closed, extended_enough), Gone once overdue.
    """
    problems: dict[str, list[str]] = {}
    if not reason.strip():
        problems["reason"] = ["must not be empty"]
    if not 1 <= days <= MOST_DAYS:
        problems["days"] = [f"must be 1 to {MOST_DAYS}, got {days}"]
    if problems:
        raise Invalid("The finding cannot be extended.", fields=problems)

    def change(command: Command, locked: Finding, hat: Hat) -> None:
        refuse(not_extending(hat, locked))
        due = command.now + timedelta(days=days)
        if due <= locked.due_at:
            told = [f"must be later than {locked.due_at:%Y-%m-%d %H:%M}, when it is due now"]
            raise Invalid("The finding cannot be extended.", fields={"days": told})
        if locked.extensions >= MOST_EXTENSIONS:
            raise Conflict(
                "extended_enough",
                f"It was extended {locked.extensions} times; resolve it, or decide anew.",
                state=locked.state,
            )
        move(
            command,
            locked,
            "extend",
            run=locked.run,
            due_at=due,
            extensions=locked.extensions + 1,
            data={"reason": reason, "from": locked.due_at.isoformat(), "to": due.isoformat()},
        )

    return _command(
        actor=actor,
        finding=finding,
        name="extend_finding",
        change=change,
        key=key,
        request={"days": days, "reason": reason},
    )


def _command(
    *,
    actor: Actor,
    finding: Finding,
    name: str,
    change: Callable[[Command, Finding, Hat], None],
    key: str | None,
    request: Mapping[str, object],
) -> Answer:
    if actor.user is None or actor.user.is_service:
        raise NotAllowed("actor.person", "Findings are for people.")
    user = actor.user

    def body(command: Command, run: Run) -> Mapping[str, object]:
        locked = _locked(run, finding.pk)
        _must_be_open(locked)
        if _overdue(command, locked):
            _lapse(command, locked)
            command.refuse(_lapsed(locked))
        else:
            change(command, locked, Hat.of(user, run))
        return summary(locked)

    return execute(
        actor=actor,
        name=name,
        lock=lambda: run_of(finding.run_id),
        body=body,
        key=key,
        request={"finding": finding.pk, **request},
    )


def lapse(*, finding_id: int) -> Answer:
    """Let an overdue finding lapse the approval it came with (the sweeper's call)."""
    run_id = Finding.objects.values_list("run_id", flat=True).get(pk=finding_id)

    def body(command: Command, run: Run) -> Mapping[str, object]:
        locked = _locked(run, finding_id)
        if locked.state == FindingState.OPEN and _overdue(command, locked):
            _lapse(command, locked)
        return summary(locked)

    return execute(
        actor=Actor("timer", "finding timer"),
        name="lapse_finding",
        lock=lambda: run_of(run_id),
        body=body,
    )


def _locked(run: Run, pk: int) -> Finding:
    rows = Finding.objects.select_for_update(of=("self",))
    found = rows.select_related("gate__stage", "resolved_by").get(pk=pk)
    found.run = found.gate.run = found.gate.stage.run = run
    return found


def _overdue(command: Command, finding: Finding) -> bool:
    """Judged by the database's clock; a paused run's deadlines stand still."""
    return finding.due_at <= command.now and finding.run.state != RunState.PAUSED


def _lapse(command: Command, finding: Finding) -> None:
    """The gate stays as it was decided; what was built on its approval learns that it lapsed."""
    gate, run = finding.gate, finding.run
    move(
        command,
        finding,
        "lapse",
        run=run,
        closed_at=command.now,
        topic="finding.lapsed",
        data={"gate": gate.pk, "stage": gate.stage.key, "text": finding.text},
    )
    command.recorder.record(
        run.stream,
        "gate.lapsed",
        subject=("gate", gate.pk),
        data={"stage": gate.stage.key, "finding": finding.pk},
        topic="gate.lapsed",
    )
    for hook in catalogue.on_lapse():
        hook(LapseContext(command=command, run=run, gate=gate, finding=finding))
    if run.state == RunState.RUNNING and gate.stage.current:
        rows = load(run)
        attention.ask_attention(
            command,
            rows,
            stage=rows.stages[gate.stage.key],
            key=f"lapsed_{finding.pk}",
            cause="finding_lapsed",
            title="A finding is overdue and its approval has lapsed: do the stage again",
            context={"finding": finding.pk, "gate": gate.pk},
        )


def _must_be_open(finding: Finding) -> None:
    if finding.state == FindingState.OPEN:
        return
    if finding.state == FindingState.LAPSED:
        raise _lapsed(finding)
    who = name_of(finding.resolved_by)
    raise Conflict(
        "finding_closed",
        f"{who} resolved this at {finding.closed_at:%d %b %H:%M}.",
        state=finding.state,
        by=who,
        at=finding.closed_at,
    )


def _lapsed(finding: Finding) -> Gone:
    return Gone(
        "finding_lapsed",
        f"It was due on {finding.due_at:%d %b %H:%M}; the approval it came with has lapsed.",
        state=FindingState.LAPSED,
        at=finding.closed_at,
    )


def summary(finding: Finding) -> dict[str, object]:
    """Return what an answer says of a finding."""
    return {
        "finding": finding.pk,
        "gate": finding.gate_id,
        "run": finding.run_id,
        "state": finding.state,
        "due_at": finding.due_at.isoformat(),
        "resolved_by": name_of(finding.resolved_by) if finding.resolved_by_id else None,
    }
