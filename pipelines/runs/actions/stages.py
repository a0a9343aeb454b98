"""Stages: take, assign, send back a failed one, rerun from here."""

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor
from personas.models import User
from pipelines.lifecycles import StageState
from pipelines.runs import rounds
from pipelines.runs.actions.items import authors_with
from pipelines.runs.actions.locks import must_run, name_of, run_of
from pipelines.runs.actions.verdicts import REASON_CODES
from pipelines.runs.advance import advance
from pipelines.runs.models import Run, Stage, Step
from pipelines.runs.moves import move
from pipelines.runs.policies import Hat, not_managing, not_owning, not_taking, refuse
from pipelines.runs.rows import load
from pipelines.usecases.policies import personas_of

# A READY stage waits for its accepter, and a SKIPPED one's condition is false.
RERUNNABLE = (StageState.ACTIVE, StageState.IN_REVIEW, StageState.DONE, StageState.FAILED)


def take(*, actor: Actor, stage: Stage, key: str | None = None) -> Answer:
    """Take an active stage that nobody owns. Raises Conflict with the owner's name."""
    user = _person(actor)

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        locked = (
            Stage.objects.select_for_update(of=("self",)).select_related("owner").get(pk=stage.pk)
        )
        if locked.owner_id == user.pk:
            return summary(locked)
        if locked.owner_id is not None:
            raise Conflict(
                "claimed_by_other",
                f"{locked.owner} owns {locked.key}.",
                state=locked.state,
                by=name_of(locked.owner),
                at=locked.owned_at,
            )
        hat = Hat.of(user, run)
        refuse(not_taking(hat, locked))
        giver = hat.behind(locked.persona_id)
        move(
            command,
            locked,
            "assign",
            run=run,
            owner=user,
            owned_at=command.now,
            author_ids=authors_with(locked, giver),
            data={"for": str(giver)} if giver else None,
        )
        return summary(locked)

    return execute(
        actor=actor,
        name="take_stage",
        lock=lambda: run_of(stage.run_id),
        body=body,
        key=key,
        request={"stage": stage.pk},
    )


def assign(
    *, actor: Actor, stage: Stage, owner: User, reason: str = "", key: str | None = None
) -> Answer:
    """Give a stage an owner (a manager's act); a reason is needed to take it from someone."""
    user = _person(actor)
    if not personas_of(owner, stage.run.use_case_id).count(stage.persona_id):
        raise Invalid(
            "The stage cannot be assigned.",
            fields={"owner": [f"{owner} holds no seat as {stage.persona_id} here"]},
        )

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        refuse(not_managing(Hat.of(user, run), run))
        locked = Stage.objects.select_for_update(of=("self",)).get(pk=stage.pk)
        if locked.owner_id not in (None, owner.pk) and not reason.strip():
            raise Invalid("A reason is needed.", fields={"reason": ["must not be empty"]})
        authors = {*locked.author_ids, locked.owner_id if computed(locked) else None}
        move(
            command,
            locked,
            "assign",
            run=run,
            owner=owner,
            owned_at=command.now,
            author_ids=sorted(pk for pk in authors if pk is not None),
            data={"owner": str(owner), "reason": reason},
        )
        return summary(locked)

    return execute(
        actor=actor,
        name="assign_stage",
        lock=lambda: run_of(stage.run_id),
        body=body,
        key=key,
        request={"stage": stage.pk, "owner": owner.pk, "reason": reason},
    )


def computed(stage: Stage) -> bool:
    """Whether the round has a result already: it is then the work of who owned it until now."""
    return Step.objects.filter(stage=stage, hand_off=None, result__isnull=False).exists()


def send_back(
    *,
    actor: Actor,
    stage: Stage,
    target: str,
    reason: str,
    reason_code: str,
    key: str | None = None,
) -> Answer:
    """Send a failed stage back to an earlier one. Raises Invalid, Conflict (max_rounds)."""
    user = _person(actor)
    problems = {}
    if not reason.strip():
        problems["reason"] = ["must not be empty"]
    if reason_code not in REASON_CODES:
        problems["reason_code"] = [f"must be one of {', '.join(REASON_CODES)}, got {reason_code!r}"]
    if problems:
        raise Invalid("The stage cannot be sent back.", fields=problems)

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        rows = load(run)
        failed = rows.stages.get(stage.key)
        if failed is None or failed.pk != stage.pk or failed.state != StageState.FAILED:
            raise Conflict("not_failed", f"{stage.key} has not failed.", state=stage.state)
        refuse(not_owning(Hat.of(user, run), failed))
        gate = rows.blueprint.stage(stage.key).gate
        allowed = gate.send_back_to if gate else ()
        if target not in allowed:
            raise Invalid(
                "The stage cannot be sent back.",
                fields={
                    "target": [f"must be one of {', '.join(allowed) or 'none'}, got {target!r}"]
                },
            )
        rounds.send_back(
            command, rows, source=failed, target=target, reason=reason, code=reason_code
        )
        advance(command, run, rows)
        return summary(failed)

    return execute(
        actor=actor,
        name="send_back",
        lock=lambda: run_of(stage.run_id),
        body=body,
        key=key,
        request={"stage": stage.pk, "target": target, "reason": reason, "code": reason_code},
    )


def rerun(
    *,
    actor: Actor,
    stage: Stage,
    reason: str,
    refuse_cache: bool = False,
    key: str | None = None,
) -> Answer:
    """Open the stage's next round; what depends on it starts over.

    Steps whose inputs did not change are served from the cache, unless it is refused.
    """
    user = _person(actor)
    if not reason.strip():
        raise Invalid("A reason is needed.", fields={"reason": ["must not be empty"]})

    def body(command: Command, run: Run) -> dict[str, object]:
        must_run(run)
        rows = load(run)
        current = rows.stages.get(stage.key)
        if current is None or current.pk != stage.pk or current.state not in RERUNNABLE:
            now = current.state if current else stage.state
            raise Conflict("not_rerunnable", f"{stage.key} is {now}.", state=now)
        refuse(not_owning(Hat.of(user, run), current))
        fresh = rounds.reopen(
            command,
            rows,
            target=stage.key,
            reason=reason,
            code=rounds.RERUN,
            refuse_cache=refuse_cache,
        )
        advance(command, run, rows)
        return summary(fresh)

    return execute(
        actor=actor,
        name="rerun",
        lock=lambda: run_of(stage.run_id),
        body=body,
        key=key,
        request={"stage": stage.pk, "reason": reason, "refuse_cache": refuse_cache},
    )


def _person(actor: Actor) -> User:
    if actor.user is None or actor.user.is_service:
        raise NotAllowed("actor.person", "Stages belong to people.")
    return actor.user


def summary(stage: Stage) -> dict[str, object]:
    """Return what an answer says of a stage."""
    return {
        "stage": stage.pk,
        "run": stage.run_id,
        "key": stage.key,
        "round": stage.round,
        "state": stage.state,
        "owner": name_of(stage.owner) if stage.owner_id else None,
    }
