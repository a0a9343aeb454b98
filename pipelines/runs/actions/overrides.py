"""Overrides: a gate closed against its rules, by name, with a reason, for ever to be seen."""

from collections.abc import Mapping

from personas.commands import Answer, Command
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor
from personas.models import User
from pipelines.runs import reviews
from pipelines.runs.actions.gates import in_open_gate
from pipelines.runs.actions.locks import name_of
from pipelines.runs.actions.verdicts import LONGEST_REASON
from pipelines.runs.models import Gate, Override
from pipelines.runs.policies import Hat, not_overriding, refuse
from pipelines.runs.rows import Rows
from pipelines.runs.seen import must_be

VERDICTS = ("approve", "reject")


def override(
    *, actor: Actor, gate: Gate, verdict: str, seen: str, reason: str, key: str | None = None
) -> Answer:
    """Close the gate against its rules; where the blueprint asks two people, by the second one.

    Takes the capability gate.override. Raises NotAllowed, Invalid, Conflict (superseded_subject,
    override_asked), Gone.
    """
    user = actor.user
    if user is None:
        raise NotAllowed("sod.no_person", "Only people override.")
    _check_input(verdict, reason)

    def change(command: Command, rows: Rows, locked: Gate) -> None:
        refuse(not_overriding(Hat.of(user, rows.run), locked))
        must_be(
            seen, locked.subject_digest, code="superseded_subject",
            text="What is under review is not what you were shown",
            state=locked.state, subject_digest=locked.subject_digest,
        )  # fmt: skip
        asked = Override.objects.select_related("by").filter(gate=locked).first()
        if asked is None:
            wish = Override(
                gate=locked,
                verdict=verdict,
                reason=reason,
                subject_digest=seen,
                by=user,
                at=command.now,
            )
            _first(command, rows, locked, wish)
        else:
            _second(command, rows, locked, asked, by=user, verdict=verdict, reason=reason)

    return in_open_gate(
        actor=actor,
        gate=gate,
        name="override_gate",
        change=change,
        key=key,
        request={"gate": gate.pk, "verdict": verdict, "seen": seen, "reason": reason},
    )


def _check_input(verdict: str, reason: str) -> None:
    problems: dict[str, list[str]] = {}
    if verdict not in VERDICTS:
        problems["verdict"] = [f"must be one of {', '.join(VERDICTS)}, got {verdict!r}"]
    if not reason.strip():
        problems["reason"] = ["an override needs a reason"]
    elif len(reason) > LONGEST_REASON:
        problems["reason"] = [f"has {len(reason)} characters; at most {LONGEST_REASON}"]
    if problems:
        raise Invalid("The gate cannot be overridden.", fields=problems)


def _first(command: Command, rows: Rows, gate: Gate, wish: Override) -> None:
    alone = gate.policy.get("override", "one") != "two"
    wish.done_at = command.now if alone else None
    wish.save()
    if alone:
        _close(command, rows, gate, wish)
        return
    _record(command, rows, gate, "gate.override_asked", {"by": str(wish.by), **_said(wish)})


def _second(
    command: Command,
    rows: Rows,
    gate: Gate,
    asked: Override,
    *,
    by: User,
    verdict: str,
    reason: str,
) -> None:
    if asked.by_id == by.pk or asked.verdict != verdict:
        raise Conflict(
            "override_asked",
            f"{asked.by} asked to {asked.verdict} this at {asked.at:%H:%M}; it takes a second"
            " person who says the same.",
            by=name_of(asked.by),
            at=asked.at,
            state=gate.state,
        )
    asked.seconded_by, asked.seconded_at, asked.second_reason = by, command.now, reason
    asked.done_at = command.now
    asked.save(update_fields=["seconded_by", "seconded_at", "second_reason", "done_at"])
    _close(command, rows, gate, asked)


def _close(command: Command, rows: Rows, gate: Gate, wish: Override) -> None:
    names = {"by": str(wish.by), "second": str(wish.seconded_by or "")}
    _record(command, rows, gate, "gate.overridden", {**names, **_said(wish)})
    reviews.override(command, rows, gate, wish)


def _said(wish: Override) -> dict[str, object]:
    return {"verdict": wish.verdict, "reason": wish.reason, "second_reason": wish.second_reason}


def _record(
    command: Command, rows: Rows, gate: Gate, event: str, data: Mapping[str, object]
) -> None:
    command.recorder.record(
        rows.run.stream,
        event,
        subject=("gate", gate.pk),
        data={"stage": gate.stage.key, "subject": gate.subject_digest, **data},
        topic=event,
    )
