"""What people decided, and what it rested on: checks, gates and hand-offs of the present rounds."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pipelines.blueprints.graph import PLAIN_HAND_OFF
from pipelines.blueprints.spec import StageDef
from pipelines.documents.pack import Judgement, Output, Passing, Review, Ruling
from pipelines.lifecycles import DecisionState
from pipelines.runs.gaps import checklist
from pipelines.runs.models import Check, Decision, Finding, HandOff
from pipelines.runs.queries.checks import CLASSES, title_of
from pipelines.runs.rows import Rows, stage_def


def at(moment: datetime | None) -> str:
    """Write a moment; "" where there is none."""
    return moment.isoformat(timespec="seconds") if moment else ""


def outputs_of(outputs: Mapping[str, Mapping[str, Any]]) -> Iterator[Output]:
    """Yield the artefacts that a record names."""
    for name, one in outputs.items():
        yield Output(name, one["digest"], str(one.get("media", "")), one.get("size"))


def checks(rows: Rows, stages: Mapping[int, str]) -> Iterator[Judgement]:
    """The checks of the present rounds; of a contract that was judged anew the latest judgement."""
    found = Check.objects.filter(run=rows.run, stage__in=stages).select_related("waived_by")
    latest: dict[tuple[int | None, int | None, str], Check] = {}
    gates = {gate.pk for gate in rows.gates.values()}
    passing = {hand_off.pk for hand_off in rows.hand_offs.values()}
    for check in found.order_by("pk"):
        if check.gate_id in gates or check.hand_off_id in passing:
            latest[check.gate_id, check.hand_off_id, check.name] = check
    order = {stage.pk: stage.position for stage in rows.stages.values()}
    for check in sorted(
        latest.values(), key=lambda c: (order[c.stage_id], c.gate_id is None, c.pk)
    ):
        yield _judgement(check, stages[check.stage_id])


def _judgement(check: Check, stage: str) -> Judgement:
    result = check.result
    return Judgement(
        name=check.name,
        title=title_of(check.name),
        verdict=check.verdict,
        blocking=check.blocking,
        summary=str(result.get("summary", "")),
        stage=stage,
        noun="gate" if check.gate_id else "hand_off",
        noun_pk=check.gate_id or check.hand_off_id or 0,
        pk=check.pk,
        value=_number(result.get("value")),
        low=_number(result.get("low")),
        high=_number(result.get("high")),
        threshold=_number(result.get("threshold")),
        comparison=str(result.get("comparison") or ""),
        unit=str(result.get("unit") or ""),
        source=CLASSES.get(str(result.get("threshold_class")), ""),
        advice=str(result.get("advice") or ""),
        waived_by=str(check.waived_by or ""),
        waiver_reason=check.waiver_reason,
    )


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def reviews(rows: Rows, stages: Mapping[int, str]) -> Iterator[Review]:
    """The present gates; what is sealed, or blind and not yet counted, stays with who gave it."""
    gates = sorted(rows.gates.values(), key=lambda gate: gate.pk)
    decisions: dict[int, list[Decision]] = {}
    for one in Decision.objects.filter(
        gate__in=[gate.pk for gate in gates], state=DecisionState.IN_FORCE
    ).select_related("user", "on_behalf_of"):
        decisions.setdefault(one.gate_id, []).append(one)
    conditions: dict[int, list[tuple[str, str, str]]] = {}
    for found in Finding.objects.filter(gate__in=[gate.pk for gate in gates]).order_by("pk"):
        conditions.setdefault(found.gate_id, []).append((found.text, found.severity, found.state))
    for gate in gates:
        shown = [] if gate.sealed else decisions.get(gate.pk, [])
        yield Review(
            pk=gate.pk,
            stage=stages[gate.stage_id],
            state=gate.state,
            digest=gate.subject_digest,
            closed_at=at(gate.closed_at),
            overridden=gate.overridden,
            rulings=tuple(_ruling(one) for one in shown),
            findings=tuple(conditions.get(gate.pk, ())),
        )


def _ruling(one: Decision) -> Ruling:
    return Ruling(one.who, tuple(one.personas), one.verdict, one.reason, at(one.at))


def passings(rows: Rows) -> Iterator[Passing]:
    found = (
        HandOff.objects.filter(run=rows.run, source__current=True)
        .select_related("source", "target", "offered_by", "answered_by")
        .order_by("source__position", "pk")
    )
    for one in found:
        source, target = (stage_def(rows.run, stage.key) for stage in (one.source, one.target))
        yield Passing(
            pk=one.pk,
            code=one.code,
            source=source.title,
            source_persona=one.source.persona_id,
            target=target.title,
            target_persona=one.target.persona_id,
            state=one.state,
            offered_by=str(one.offered_by or ""),
            offered_at=at(one.offered_at),
            answered_by=str(one.answered_by or ""),
            answered_at=at(one.answered_at),
            note=one.note,
            return_reason=one.return_reason,
            checklist=tuple(_checklist(source, one)),
            package=tuple(
                (step, output)
                for step, outputs in one.package.items()
                for output in outputs_of(outputs)
            ),
        )


def _checklist(source: StageDef, one: HandOff) -> Iterator[tuple[str, Any]]:
    definition = source.hand_off or PLAIN_HAND_OFF
    for entry in checklist(definition, one.gap):
        yield entry.label, one.checklist.get(entry.key)
