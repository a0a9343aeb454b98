"""Frame, change and retire use cases."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.utils.text import slugify

from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor
from pipelines.usecases import policies
from pipelines.usecases.actions.shared import lock_use_case, open_seat, person_of, refuse
from pipelines.usecases.models import Blueprint, UseCase

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
    user = person_of(actor)
    plan = Blueprint.objects.filter(key=blueprint).first() if blueprint else None
    wanted = key or slugify(title)[:50]
    problems = {
        "title": _title_problems(title),
        "key": [] if KEY.match(wanted) else [f"{wanted!r} must be 2-59 of a-z, 0-9 and -"],
        "blueprint": [f"unknown blueprint {blueprint!r}"] if blueprint and plan is None else [],
    }
    refuse("The use case cannot be created.", problems)
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
            open_seat(command, use_case, user, persona.code)
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
    user = person_of(actor)
    refusal = policies.not_managing(user, use_case)
    if refusal:
        raise refusal
    if title is not None:
        refuse("The use case cannot be changed.", {"title": _title_problems(title)})
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

    return execute(
        actor=actor, name="change_use_case", lock=lambda: lock_use_case(use_case), body=body
    )


def retire_use_case(
    *, actor: Actor, use_case: UseCase, reason: str, key: str | None = None
) -> Answer:
    """Retire a use case that never had a model; one with a model is retired with it (registry).

    Raises NotAllowed unless a seat as BA is held, Invalid without a reason, Conflict.
    """
    user = person_of(actor)
    if "BA" not in policies.personas_of(user, use_case.pk):
        raise NotAllowed("use_case.retire", f"Retiring {use_case} takes a seat as BA.")
    refuse("A reason is needed.", {"reason": [] if reason.strip() else ["must not be empty"]})

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
        lock=lambda: lock_use_case(use_case),
        body=body,
        key=key,
        request={"use_case": use_case.pk, "reason": reason},
    )


def _lock_keys() -> None:
    """Two use cases of one title made at once must not take the same key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('use_case.key'))")
