"""Changes to use cases, seats and blueprints."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils.text import slugify

from personas import policies as people
from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor
from personas.models import Persona, User
from pipelines import catalogue
from pipelines.blueprints.digest import dump
from pipelines.blueprints.lint import lint
from pipelines.blueprints.parse import parse, parse_toml
from pipelines.blueprints.problems import BlueprintErrors, Problem, errors_of
from pipelines.blueprints.spec import Blueprint as Plan
from pipelines.usecases import policies
from pipelines.usecases.models import Blueprint, BlueprintVersion, Seat, UseCase

LONGEST_TITLE = 160
KEY = re.compile(r"^[a-z0-9][a-z0-9-]{1,58}$")


def create_use_case(
    *,
    actor: Actor,
    title: str,
    question: str = "",
    key: str = "",
    blueprint: str = "",
    parameters: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    draft: bool = False,
    idempotency_key: str | None = None,
) -> Answer:
    """Create a use case; its creator takes the seats of their personas. Raises Invalid.

    A `draft` is one whose creator has not finished framing it; it is changed like any other.
    """
    user = _person(actor)
    plan = Blueprint.objects.filter(key=blueprint).first() if blueprint else None
    wanted = key or slugify(title)[:50]
    problems = {
        "title": _title_problems(title),
        "key": [] if KEY.match(wanted) else [f"{wanted!r} must be 2-59 of a-z, 0-9 and -"],
        "blueprint": [f"unknown blueprint {blueprint!r}"] if blueprint and plan is None else [],
    }
    _refuse("The use case cannot be created.", problems)
    request = {
        "title": title,
        "question": question,
        "key": key,
        "blueprint": blueprint,
        "parameters": parameters or {},
        "inputs": inputs or {},
        "draft": draft,
    }

    def body(command: Command, _locked: None) -> dict[str, object]:
        use_case = UseCase.objects.create(
            key=_free_key(wanted, exact=bool(key)),
            title=title.strip(),
            question=question.strip(),
            created_by=user,
            blueprint=plan,
            parameters=parameters or {},
            inputs=inputs or {},
            draft=draft,
        )
        command.recorder.record(
            ("use_case", str(use_case.pk)),
            "use_case.created",
            subject=("use_case", use_case.pk),
            data={"key": use_case.key, "title": use_case.title},
        )
        for persona in user.personas.all():
            _seat(command, use_case, user, persona.code)
        return {"use_case": use_case.pk, "key": use_case.key}

    return execute(
        actor=actor,
        name="create_use_case",
        lock=_lock_keys,
        body=body,
        key=idempotency_key,
        request=request,
    )


def _title_problems(title: str) -> list[str]:
    if not title.strip():
        return ["must not be empty"]
    if len(title) > LONGEST_TITLE:
        return [f"has {len(title)} characters; at most {LONGEST_TITLE}"]
    return []


def _free_key(wanted: str, *, exact: bool) -> str:
    taken = set(UseCase.objects.filter(key__startswith=wanted).values_list("key", flat=True))
    if wanted not in taken:
        return wanted
    if exact:
        raise Invalid("The use case cannot be created.", fields={"key": [f"{wanted!r} is taken"]})
    number = 2
    while f"{wanted}-{number}" in taken:
        number += 1
    return f"{wanted}-{number}"


def change_use_case(
    *,
    actor: Actor,
    use_case: UseCase,
    title: str | None = None,
    question: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    blueprint: str | None = None,
    draft: bool | None = None,
) -> Answer:
    """Change what later runs start from; open runs keep what they were started with."""
    user = _person(actor)
    refusal = policies.not_managing(user, use_case)
    if refusal:
        raise refusal
    if title is not None:
        _refuse("The use case cannot be changed.", {"title": _title_problems(title)})
    wanted = {
        name: value
        for name, value in (
            ("title", title),
            ("question", question),
            ("parameters", parameters),
            ("inputs", inputs),
            ("blueprint", blueprint),
            ("draft", draft),
        )
        if value is not None
    }

    plan = Blueprint.objects.filter(key=blueprint).first() if blueprint else None
    if blueprint and plan is None:
        raise Invalid(
            "The use case cannot be changed.",
            fields={"blueprint": [f"unknown blueprint {blueprint!r}"]},
        )

    def body(command: Command, locked: UseCase) -> dict[str, object]:
        for name, value in wanted.items():
            setattr(locked, name, plan if name == "blueprint" else value)
        locked.save(update_fields=list(wanted))
        command.recorder.record(
            ("use_case", str(locked.pk)),
            "use_case.changed",
            subject=("use_case", locked.pk),
            data=wanted,
        )
        return {"use_case": locked.pk, "key": locked.key}

    return execute(actor=actor, name="change_use_case", lock=lambda: _lock(use_case), body=body)


def retire_use_case(
    *, actor: Actor, use_case: UseCase, reason: str, key: str | None = None
) -> Answer:
    """Retire a use case that never had a model; one with a model is retired with it (registry).

    Raises NotAllowed unless a seat as BA is held, Invalid without a reason, Conflict.
    """
    user = _person(actor)
    if "BA" not in policies.personas_of(user, use_case.pk):
        raise NotAllowed("use_case.retire", f"Retiring {use_case} takes a seat as BA.")
    _refuse("A reason is needed.", {"reason": [] if reason.strip() else ["must not be empty"]})

    def body(command: Command, locked: UseCase) -> dict[str, object]:
        if locked.retired_at is not None:
            raise Conflict("already_retired", f"{locked} is retired.", at=locked.retired_at)
        locked.retired_at = command.now
        locked.save(update_fields=["retired_at"])
        command.recorder.record(
            ("use_case", str(locked.pk)),
            "use_case.retired",
            subject=("use_case", locked.pk),
            data={"reason": reason},
        )
        return {"use_case": locked.pk, "key": locked.key}

    return execute(
        actor=actor,
        name="retire_use_case",
        lock=lambda: _lock(use_case),
        body=body,
        key=key,
        request={"use_case": use_case.pk, "reason": reason},
    )


def give_seat(
    *, actor: Actor, use_case: UseCase, user: User, persona: str, key: str | None = None
) -> Answer:
    """Let a person act as a persona on a use case. Raises Invalid, NotAllowed, Conflict."""
    giver = _person(actor)
    refusal = policies.not_managing(giver, use_case)
    if refusal:
        raise refusal
    problems = {"persona": [], "user": []}  # type: dict[str, list[str]]
    if not Persona.objects.filter(code=persona).exists():
        problems["persona"].append(f"unknown persona {persona!r}")
    elif not user.personas.filter(code=persona).exists():
        problems["persona"].append(f"{user} does not hold the persona {persona}")
    if not user.is_active or user.is_service:
        problems["user"].append(f"{user} cannot take a seat: inactive, or a service account")
    _refuse("The seat cannot be given.", problems)

    def body(command: Command, locked: UseCase) -> dict[str, object]:
        if Seat.objects.filter(use_case=locked, user=user, persona_id=persona, until=None).exists():
            raise Conflict("seat_taken", f"{user} holds this seat already.", state="open")
        seat = _seat(command, locked, user, persona)
        return {"seat": seat.pk, "use_case": locked.pk}

    return execute(
        actor=actor,
        name="give_seat",
        lock=lambda: _lock(use_case),
        body=body,
        key=key,
        request={"use_case": use_case.pk, "user": user.pk, "persona": persona},
    )


def end_seat(*, actor: Actor, seat: Seat) -> Answer:
    """End a seat from now on; what the person did stays theirs. Raises NotAllowed, Conflict."""
    giver = _person(actor)
    refusal = policies.not_managing(giver, seat.use_case)
    if refusal and giver.pk != seat.user_id:
        raise refusal

    def body(command: Command, locked: UseCase) -> dict[str, object]:
        ended = Seat.objects.filter(pk=seat.pk, until=None).update(until=command.now)
        if not ended:
            raise Conflict("seat_ended", "This seat has ended already.", state="ended")
        command.recorder.record(
            ("use_case", str(locked.pk)),
            "seat.ended",
            subject=("seat", seat.pk),
            data={"user": str(seat.user), "persona": seat.persona_id},
        )
        return {"seat": seat.pk}

    return execute(actor=actor, name="end_seat", lock=lambda: _lock(seat.use_case), body=body)


def _seat(command: Command, use_case: UseCase, user: User, persona: str) -> Seat:
    seat = Seat.objects.create(use_case=use_case, user=user, persona_id=persona)
    command.recorder.record(
        ("use_case", str(use_case.pk)),
        "seat.given",
        subject=("seat", seat.pk),
        data={"user": str(user), "persona": persona},
    )
    return seat


def lint_plan(plan: Plan) -> list[Problem]:
    """Return every problem of a plan against the personas and catalogue of this installation."""
    used = {step.operation for stage in plan.stages for step in stage.all_steps()}
    return lint(
        plan,
        personas=set(Persona.objects.values_list("code", flat=True)),
        operations={name: catalogue.spec(name) for name in used & set(catalogue.OPERATIONS)},
        checks=set(catalogue.CHECKS),
        effects=set(catalogue.EFFECTS),
        feeds=set(catalogue.FEEDS),
    )


def lint_source(source: str | Mapping[str, object]) -> tuple[str, tuple[Problem, ...]]:
    """Return digest and problems of a TOML text or body; an unreadable one has no digest."""
    try:
        plan = parse_toml(source) if isinstance(source, str) else parse(source)
    except BlueprintErrors as error:
        return "", tuple(error.problems)
    return plan.digest, tuple(lint_plan(plan))


def publish_blueprint(
    *, actor: Actor, source: str | Mapping[str, object], key: str | None = None
) -> Answer:
    """Publish a TOML text or JSON body as the blueprint's next version; the same content is one.

    Raises Invalid with every problem by path; nothing half-created stays.
    """
    if actor.user is not None:
        people.require(actor.user, "blueprint.publish")
    try:
        plan = parse_toml(source) if isinstance(source, str) else parse(source)
        problems = errors_of(lint_plan(plan))
    except BlueprintErrors as error:
        problems = error.problems
    if problems:
        fields: dict[str, list[str]] = {}
        for problem in problems:
            fields.setdefault(problem.path or "blueprint", []).append(
                f"{problem.message} [{problem.rule}]"
                + (f" (got {problem.value})" if problem.value else "")
            )
        raise Invalid(f"The blueprint has {len(problems)} problems.", fields=fields)

    def body(command: Command, blueprint: Blueprint) -> dict[str, object]:
        same = BlueprintVersion.objects.filter(digest=plan.digest).first()
        if same is not None and same.state == "published":
            return _published(same, new=False)
        blueprint.versions.filter(state="published").update(state="retired")
        if same is not None:
            same.state = "published"
            same.save(update_fields=["state"])
            return _published(same, new=False)
        last = blueprint.versions.aggregate(last=Max("number"))["last"] or 0
        version = BlueprintVersion.objects.create(
            blueprint=blueprint,
            number=last + 1,
            digest=plan.digest,
            body=dump(plan),
            published_at=command.now,
            published_by=actor.user,
        )
        command.recorder.record(
            ("blueprint", plan.key),
            "blueprint.published",
            subject=("blueprint_version", version.pk),
            data={"number": version.number, "digest": plan.digest},
        )
        return _published(version, new=True)

    return execute(
        actor=actor,
        name="publish_blueprint",
        lock=lambda: _lock_blueprint(plan),
        body=body,
        key=key,
        request={"digest": plan.digest},
    )


def _published(version: BlueprintVersion, *, new: bool) -> dict[str, object]:
    return {
        "version": version.pk,
        "blueprint": version.blueprint.key,
        "number": version.number,
        "digest": version.digest,
        "new": new,
    }


def _lock_blueprint(plan: Plan) -> Blueprint:
    Blueprint.objects.bulk_create(
        [Blueprint(key=plan.key, title=plan.title, kind=plan.kind)], ignore_conflicts=True
    )
    return Blueprint.objects.select_for_update().get(key=plan.key)


def _lock_keys() -> None:
    """Two use cases of one title made at once must not take the same key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('use_case.key'))")


def _lock(use_case: UseCase) -> UseCase:
    return UseCase.objects.select_for_update().get(pk=use_case.pk)


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise NotAllowed("actor.person", "This needs a person.")
    return actor.user


def _refuse(message: str, problems: Mapping[str, Sequence[str]]) -> None:
    found = {field: texts for field, texts in problems.items() if texts}
    if found:
        raise Invalid(message, fields=found)
