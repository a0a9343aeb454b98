"""Who is told of an event, as what, and where it leads: one function per topic of the outbox.

What has moved on before it is told (a gate that closed, an item that somebody else has by now) is
told no more; None then.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import F, Q

from personas.models import Event, User
from pipelines.lifecycles import WORK_ITEM, HandOffState
from pipelines.monitoring.models import Alert
from pipelines.readiness.models import Attestation
from pipelines.runs.actions.timers import AWAITED
from pipelines.runs.models import Gate, HandOff, Run, Stage, WorkItem
from pipelines.runs.policies import Hat, not_deciding
from pipelines.runs.rows import stage_def
from pipelines.usecases.models import Delegation, Seat, UseCase
from pipelines.usecases.policies import under_way

LONGEST: Final = 160  # characters of a name in a notification
MOST_MENTIONED: Final = 200


@dataclass(frozen=True)
class Told:
    """A notification before it is addressed: to these people, leading to this thing."""

    kind: str
    people: frozenset[int]
    use_case: int | None
    noun: str
    noun_id: str
    data: Mapping[str, object] = field(default_factory=dict)


def told_of(event: Event, topic: str) -> Told | None:
    """Return who is to be told of an event, or None where nobody is."""
    tell = TOPICS.get(topic)
    return tell(event) if tell is not None else None


def seated(use_case: int, personas: Iterable[str]) -> frozenset[int]:
    """Return who acts as one of these personas on the use case now: seats, and their deputies."""
    codes = set(personas)
    seats = set(
        Seat.objects.filter(use_case_id=use_case, until=None, persona_id__in=codes).values_list(
            "user_id", "persona_id"
        )
    )
    lent = under_way().filter(
        Q(use_case=None) | Q(use_case_id=use_case),
        giver_id__in=[user for user, _ in seats],
        giver__is_active=True,
        deputy__personas=F("persona"),
    )
    deputies = {
        deputy
        for giver, persona, deputy in lent.values_list("giver_id", "persona_id", "deputy_id")
        if (giver, persona) in seats
    }
    return frozenset({user for user, _ in seats} | deputies)


def everybody(use_case: int) -> frozenset[int]:
    """Return all who hold a seat on the use case now."""
    rows = Seat.objects.filter(use_case_id=use_case, until=None)
    return frozenset(rows.values_list("user_id", flat=True))


def _short(text: object) -> str:
    return str(text)[:LONGEST]


def _pk(event: Event) -> int:
    return event.subject_id or 0


def _run(event: Event) -> Run:
    rows = Run.objects.select_related("use_case", "version__blueprint", "created_by")
    return rows.get(pk=int(event.stream.key))


def _stage_title(run: Run, key: str) -> str:
    return _short(stage_def(run, key).title)


def _of_run(event: Event, run: Run, **more: object) -> dict[str, object]:
    return {"by": _short(event.actor_name), "run": run.label, **more}


def _ones(*people: int | None) -> frozenset[int]:
    return frozenset(pk for pk in people if pk is not None)


def _deciders(run: Run, gate: Gate) -> frozenset[int]:
    """Those whom the gate's rules let decide, by the policy that will judge them."""
    asked = seated(run.use_case_id, [rule["persona"] for rule in gate.policy["rules"]])
    people = User.objects.filter(pk__in=asked)
    return frozenset(user.pk for user in people if not_deciding(Hat.of(user, run), gate) is None)


def _gate(event: Event) -> tuple[Run, Gate] | None:
    run = _run(event)
    gate = Gate.objects.select_related("stage").get(pk=_pk(event))
    gate.run = gate.stage.run = run
    return (run, gate) if gate.state == "OPEN" else None


def _gate_opened(event: Event, kind: str = "decide") -> Told | None:
    found = _gate(event)
    if found is None:
        return None
    run, gate = found
    data = _of_run(event, run, thing=_stage_title(run, gate.stage.key))
    return Told(kind, _deciders(run, gate), run.use_case_id, "gate", str(gate.pk), data)


def _gate_escalated(event: Event) -> Told | None:
    return _gate_opened(event, "escalated")


def _hand_off(event: Event) -> tuple[Run, HandOff, dict[str, object]]:
    run = _run(event)
    row = HandOff.objects.select_related("source", "target").get(pk=_pk(event))
    thing = _stage_title(run, row.target.key)
    return run, row, _of_run(event, run, thing=thing, code=row.return_code)


def _offered(event: Event) -> Told | None:
    run, row, data = _hand_off(event)
    if row.state not in (HandOffState.OFFERED, HandOffState.ESCALATED):
        return None
    people = seated(run.use_case_id, [row.target.persona_id])
    return Told("offered", people, run.use_case_id, "hand_off", str(row.pk), data)


def _hand_off_escalated(event: Event) -> Told | None:
    run, row, data = _hand_off(event)
    if row.state != HandOffState.ESCALATED:
        return None
    people = seated(run.use_case_id, [row.target.persona_id]) | _ones(row.offered_by_id)
    return Told("escalated", people, run.use_case_id, "hand_off", str(row.pk), data)


def _returned(event: Event) -> Told | None:
    run, row, data = _hand_off(event)
    people = _ones(row.offered_by_id, row.source.owner_id)
    return Told("returned", people, run.use_case_id, "hand_off", str(row.pk), data)


def _stage_returned(event: Event) -> Told | None:
    """Changes are requested: its owner hears of it, and whose work it was; else its persona."""
    run = _run(event)
    stage = Stage.objects.get(pk=_pk(event))
    if (
        stage.return_code
        and HandOff.objects.filter(
            run=run, source__key=stage.key, state="RETURNED", answered_at=event.at
        ).exists()
    ):
        return None  # told as a returned hand-off
    earlier = Stage.objects.filter(run=run, key=stage.key, round=stage.round - 1).first()
    people = _ones(stage.owner_id, *(earlier.author_ids if earlier else ()))
    people = people or seated(run.use_case_id, [stage.persona_id])
    data = _of_run(event, run, thing=_stage_title(run, stage.key), code=stage.return_code)
    return Told("changes", people, run.use_case_id, "run", str(run.pk), data)


def _item(event: Event) -> tuple[Run, WorkItem, dict[str, object]]:
    run = _run(event)
    item = WorkItem.objects.select_related("stage", "holder").get(pk=_pk(event))
    return run, item, _of_run(event, run, thing=_short(item.title))


def _given(event: Event) -> Told | None:
    run, item, data = _item(event)
    if item.holder is None or str(item.holder) != event.data.get("to"):
        return None
    people = _ones(item.holder_id)
    return Told("given", people, run.use_case_id, "item", str(item.pk), data)


def _asked(event: Event, kind: str) -> Told | None:
    run, item, data = _item(event)
    if item.state not in WORK_ITEM.open:
        return None
    people = _ones(item.holder_id) or seated(run.use_case_id, item.candidates)
    return Told(kind, people, run.use_case_id, "item", str(item.pk), data)


def _item_escalated(event: Event) -> Told | None:
    run, item, data = _item(event)
    if item.state not in WORK_ITEM.open:
        return None
    people = seated(run.use_case_id, item.candidates) | _ones(item.stage.owner_id)
    return Told("escalated", people, run.use_case_id, "item", str(item.pk), data)


def _reminded(event: Event) -> Told | None:
    """Who holds it is reminded; of what nobody holds, who could take it."""
    run, noun = _run(event), event.subject
    found = _REMINDED[noun](_pk(event))
    if found is None or found.state not in AWAITED[noun]:
        return None
    people, thing, page = _holders(run, found)
    data = _of_run(event, run, thing=thing, percent=event.data["percent"], noun=noun)
    return Told("reminder", people, run.use_case_id, page[0], str(page[1]), data)


_REMINDED: Final[Mapping[str, Callable[[Any], Stage | Gate | HandOff | WorkItem | None]]] = {
    "stage": lambda pk: Stage.objects.filter(pk=pk).first(),
    "gate": lambda pk: Gate.objects.select_related("stage").filter(pk=pk).first(),
    "hand_off": lambda pk: HandOff.objects.select_related("target").filter(pk=pk).first(),
    "item": lambda pk: WorkItem.objects.select_related("stage").filter(pk=pk).first(),
}


def _holders(
    run: Run, row: Stage | Gate | HandOff | WorkItem
) -> tuple[frozenset[int], str, tuple[str, int]]:
    """Whose it is, what it is called, and the page it has."""
    where = run.use_case_id
    if isinstance(row, Stage):
        people = _ones(row.owner_id) or seated(where, [row.persona_id])
        return people, _stage_title(run, row.key), ("run", run.pk)
    if isinstance(row, Gate):
        row.run = row.stage.run = run
        return _deciders(run, row), _stage_title(run, row.stage.key), ("gate", row.pk)
    if isinstance(row, HandOff):
        people = seated(where, [row.target.persona_id])
        return people, _stage_title(run, row.target.key), ("hand_off", row.pk)
    people = _ones(row.holder_id) or seated(where, row.candidates)
    return people, _short(row.title), ("item", row.pk)


def _mentioned(event: Event) -> Told | None:
    """A comment names people; its text is for the page, which may have to hide it."""
    named = event.data.get("mentions")
    ids = named[:MOST_MENTIONED] if isinstance(named, list) else []
    people = frozenset(pk for pk in ids if isinstance(pk, int) and not isinstance(pk, bool))
    if not people:
        return None
    data: dict[str, object] = {"by": _short(event.actor_name)}
    if event.stream.kind != "run":
        use_case = UseCase.objects.get(pk=int(event.stream.key))
        data["thing"] = _short(use_case.title)
        return Told("mention", people, use_case.pk, "use_case", use_case.key, data)
    run, gate = _run(event), event.data.get("gate")
    page = ("gate", str(gate)) if isinstance(gate, int) else ("run", str(run.pk))
    data |= {"run": run.label, "thing": run.label}
    return Told("mention", people, run.use_case_id, *page, data)


def _run_ended(event: Event) -> Told | None:
    """Its starter and all who hold a seat learn how a run ended; watches that found nothing not."""
    run = _run(event)
    if run.kind == "watch" and event.after == "SUCCEEDED":
        return None
    people = everybody(run.use_case_id) | _ones(run.created_by_id)
    data = _of_run(event, run, state=event.after)
    return Told("run", people, run.use_case_id, "run", str(run.pk), data)


def _alerted(event: Event) -> Told | None:
    alert = Alert.objects.select_related("model").get(pk=_pk(event))
    where = alert.model.use_case_id
    data = {"thing": _short(alert.model.name), "severity": alert.severity, "cause": alert.cause}
    people = seated(where, {"DS", "OPS", alert.persona_id})
    return Told("alert", people, where, "model", alert.model.name, data)


def _voided(event: Event) -> Told | None:
    signed = Attestation.objects.select_related("use_case").get(pk=_pk(event))
    data = {"thing": signed.test, "why": event.after}
    where = signed.use_case
    return Told("statement", _ones(signed.user_id), where.pk, "readiness", where.key, data)


def _deputy(event: Event) -> Told | None:
    row = Delegation.objects.select_related("giver").get(pk=_pk(event))
    if row.deputy_id is None:
        return None
    data = {"thing": _short(row.giver), "persona": row.persona_id, "by": _short(event.actor_name)}
    return Told("deputy", _ones(row.deputy_id), None, "away", "", data)


TOPICS: Final[Mapping[str, Callable[[Event], Told | None]]] = {
    "gate.open": _gate_opened,
    "gate.escalated": _gate_escalated,
    "hand_off.offered": _offered,
    "hand_off.returned": _returned,
    "hand_off.escalated": _hand_off_escalated,
    "stage.returned": _stage_returned,
    "item.assign": _given,
    "item.delegate": _given,
    "item.attention": lambda event: _asked(event, "attention"),
    "item.escalated": _item_escalated,
    "help.asked": lambda event: _asked(event, "help"),
    "deadline.reminded": _reminded,
    "comment.added": _mentioned,
    "run.succeeded": _run_ended,
    "run.fail": _run_ended,
    "run.give_up": _run_ended,
    "run.reject": _run_ended,
    "run.cancelled": _run_ended,
    "alert.raised": _alerted,
    "attestation.void": _voided,
    "attestation.expire": _voided,
    "delegation.given": _deputy,
}
