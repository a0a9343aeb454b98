"""Sign and take back statements; look at a use case: end what is over, keep the score's history."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid
from personas.ledger import Actor
from pipelines import lifecycles
from pipelines.lifecycles import ATTESTATION, NEW
from pipelines.readiness import history, policies
from pipelines.readiness.contents import outdated, subject_digest, subject_of
from pipelines.readiness.models import Attestation, Look
from pipelines.readiness.queries import Readiness, readiness, standing_of
from pipelines.readiness.testdefs import BY_ID, TestDef, days_of
from pipelines.runs import seen
from pipelines.runs.models import Run
from pipelines.usecases.actions.shared import person_of, refuse
from pipelines.usecases.models import UseCase

LONGEST_STATEMENT: Final = 4000
MOST_EVIDENCE: Final = 20
LONGEST_LINK: Final = 400
LINK: Final = re.compile(r"(https?://\S+|/(?!/)\S*|[0-9a-f]{64})")


@dataclass(frozen=True)
class Statement:
    """What is signed: the test, as whom, in which words, on which evidence, for how many days.

    `seen`: the digest of what the signer was shown. `persona` and `days`: "" and None leave the
    choice to the test.
    """

    test: str
    text: str
    seen: str
    persona: str = ""
    evidence: tuple[str, ...] = ()
    days: int | None = None


def attest(
    *, actor: Actor, use_case: UseCase, statement: Statement, key: str | None = None
) -> Answer:
    """Sign a statement. Raises NotAllowed, Invalid with every field, Conflict, Gone."""
    user = person_of(actor)
    test = _known(statement)
    refuse("This cannot be signed.", _problems(statement))
    persona = statement.persona or policies.signing_as(
        test, policies.held_by(user, use_case), standing_of(use_case)
    )

    def body(command: Command, locked: Look) -> dict[str, object]:
        found = readiness(locked.use_case)
        _refuse_retired(locked.use_case)
        _end_what_is_over(command, found)
        standing = [one for one in standing_of(locked.use_case) if one.test == test.id]
        refusal = policies.not_attesting(
            user, test, persona,
            held=policies.held_by(user, use_case), contents=found.contents, standing=standing,
        )  # fmt: skip
        if refusal is not None:
            raise refusal
        made = _sign(command, found, test, statement, persona=persona, standing=standing)
        history.keep(command, readiness(locked.use_case))
        return summary(made)

    return execute(
        actor=actor,
        name="attest",
        lock=lambda: lock_look(use_case.pk),
        body=body,
        key=key,
        request={
            "use_case": use_case.pk,
            "test": statement.test,
            "persona": statement.persona,
            "text": statement.text,
            "seen": statement.seen,
            "evidence": list(statement.evidence),
            "days": str(statement.days),
        },
    )


def withdraw(
    *, actor: Actor, attestation: Attestation, reason: str, key: str | None = None
) -> Answer:
    """Take a statement back, saying why. Raises NotAllowed, Invalid, Gone."""
    user = person_of(actor)
    refuse("Nothing was taken back.", {"reason": _text(reason, LONGEST_STATEMENT)})

    def body(command: Command, locked: Look) -> dict[str, object]:
        rows = Attestation.objects.select_related("user", "ended_by")
        row = rows.get(pk=attestation.pk)
        refusal = policies.not_withdrawing(user, row)
        if refusal is not None:
            raise refusal
        _end(command, row, "withdraw", reason)
        history.keep(command, readiness(locked.use_case))
        return summary(row)

    return execute(
        actor=actor,
        name="withdraw_attestation",
        lock=lambda: lock_look(attestation.use_case_id),
        body=body,
        key=key,
        request={"attestation": attestation.pk, "reason": reason},
    )


def look(*, use_case_id: int) -> Answer:
    """End statements whose time or content is over, and keep the score where it changed."""

    def body(command: Command, locked: Look) -> dict[str, object]:
        found = readiness(locked.use_case)
        ended = _end_what_is_over(command, found)
        changed = history.keep(command, readiness(locked.use_case) if ended else found)
        Look.objects.filter(pk=locked.pk).update(looked_at=command.now)
        return {"use_case": locked.pk, "ended": ended, "changed": changed}

    return execute(
        actor=Actor("timer", "lookout"), name="look_at_readiness",
        lock=lambda: lock_look(use_case_id), body=body,
    )  # fmt: skip


def lock_look(use_case_id: int) -> Look:
    """Lock what every change of a use case's readiness waits for; makes it where it is missing."""
    Look.objects.bulk_create([Look(use_case_id=use_case_id)], ignore_conflicts=True)
    rows = Look.objects.select_for_update(of=("self",)).select_related("use_case")
    return rows.get(pk=use_case_id)


def summary(made: Attestation) -> dict[str, object]:
    """Return what an answer says of a statement."""
    return {
        "attestation": made.pk,
        "test": made.test,
        "persona": made.persona_id,
        "state": made.state,
        "expires_at": made.expires_at.isoformat(),
    }


def _known(statement: Statement) -> TestDef:
    test = BY_ID.get(statement.test)
    if test is None:
        known = f"{statement.test!r} is no test; they are called Data1 to Mon7"
        raise Invalid("This cannot be signed.", fields={"test": [known]})
    return test


def _problems(statement: Statement) -> dict[str, list[str]]:
    """Return what is wrong with the statement itself, by field."""
    found = {"statement": _text(statement.text, LONGEST_STATEMENT), "evidence": [], "seen": []}
    if len(statement.evidence) > MOST_EVIDENCE:
        found["evidence"].append(f"names {len(statement.evidence)} things; at most {MOST_EVIDENCE}")
    found["evidence"] += [
        f"{link[:80]!r} is neither an address (https://… or /…) nor a digest (64 places)"
        for link in statement.evidence
        if len(link) > LONGEST_LINK or not LINK.fullmatch(link)
    ]
    found["seen"] += seen.problems(statement.seen)
    return found


def _text(text: str, most: int) -> list[str]:
    if not text.strip():
        return ["must not be empty"]
    return [f"has {len(text)} characters; at most {most}"] if len(text) > most else []


def _refuse_retired(use_case: UseCase) -> None:
    if use_case.retired_at is not None:
        raise Conflict(
            "use_case_retired", "This use case is retired.", state="retired", at=use_case.retired_at
        )


def _end_what_is_over(command: Command, found: Readiness) -> int:
    """End statements whose time is over, or of whose content there is another one now."""
    ended = 0
    for one in found.standing:
        moved_on = outdated(one.digests, found.contents)
        if one.expires_at <= command.now:
            _end(command, one, "expire", f"It was signed until {one.expires_at:%Y-%m-%d %H:%M}.")
        elif moved_on:
            news = ", ".join(
                f"{name} {one.digests[name][:12]} is now {digest[:12]}"
                for name, digest in moved_on.items()
            )
            _end(command, one, "void", f"What it was signed for has changed: {news}.")
        else:
            continue
        ended += 1
    return ended


def _end(command: Command, row: Attestation, event: str, reason: str) -> None:
    before = row.state
    row.state = lifecycles.move(ATTESTATION, before, event)
    row.ended_at, row.ended_by, row.ended_reason = command.now, command.actor.user, reason
    row.save(update_fields=["state", "ended_at", "ended_by", "ended_reason"])
    command.recorder.record(
        ("use_case", str(row.use_case_id)),
        f"attestation.{event}",
        subject=("attestation", row.pk),
        before=before,
        after=row.state,
        data={"test": row.test, "persona": row.persona_id, "reason": reason},
        topic=f"attestation.{event}",
    )


def _sign(
    command: Command,
    found: Readiness,
    test: TestDef,
    statement: Statement,
    *,
    persona: str,
    standing: list[Attestation],
) -> Attestation:
    """Write the statement. Raises Conflict where it stands already or something else is there."""
    run, digests, days = _checked(found, test, statement, persona=persona, standing=standing)
    made = Attestation.objects.create(
        use_case=found.use_case,
        test=test.id,
        persona_id=persona,
        user=person_of(command.actor),
        statement=statement.text.strip(),
        evidence=list(statement.evidence),
        digests=digests,
        subject_digest=statement.seen,
        run=run,
        state=lifecycles.move(ATTESTATION, NEW, "sign"),
        signed_at=command.now,
        expires_at=command.now + timedelta(days=days),
    )
    command.recorder.record(
        found.use_case.stream,
        "attestation.sign",
        subject=("attestation", made.pk),
        after=made.state,
        data={"test": test.id, "persona": persona, "digests": digests, "until": made.expires_at},
        topic="attestation.sign",
    )
    return made


def _checked(
    found: Readiness,
    test: TestDef,
    statement: Statement,
    *,
    persona: str,
    standing: list[Attestation],
) -> tuple[Run, dict[str, str], int]:
    """Return run, digests and days of what is signed. Raises Conflict, Invalid."""
    mine = next((one for one in standing if one.persona_id == persona), None)
    if mine is not None:
        raise Conflict(
            "attested_already",
            f"{mine.user} signed {test.id} as {persona} until {mine.expires_at:%d %b %Y}.",
            state=mine.state, by=str(mine.user), at=mine.signed_at,
        )  # fmt: skip
    digests, run = subject_of(test, found.contents), found.run
    if run is None or statement.seen != subject_digest(digests):
        there = subject_digest(digests)
        raise Conflict(
            "stale_subject",
            f"What you were shown is not what is there now: {seen.apart(statement.seen, there)}",
            state=there, at=found.now, by="",
        )  # fmt: skip
    most = days_of(test, found.tier)
    days = most if statement.days is None else statement.days
    if not 1 <= days <= most:
        told = f"is {days}; from 1 to {most} for {test.id}"
        raise Invalid("This cannot be signed.", fields={"days": [told]})
    return run, digests, days
