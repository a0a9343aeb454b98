"""What people say of themselves, and the ranges of their personas."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q

from personas import policies
from personas.calendars import zone_problems
from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor
from personas.models import Persona, User

LONGEST_NAME: Final = 120
LONGEST_EMAIL: Final = 254
LONGEST_PASSWORD: Final = 200
EXPERT: Final = 100  # points; 0 is a novice
POINTS: Final = ("ml_point", "deployment_point")
FIELDS: Final = ("name", "email", "time_zone", "language", *POINTS)
# What the ledger says in full. A name and an address are the person's own: that they changed.
OPEN: Final = ("time_zone", "language", *POINTS)
RANGES: Final = (
    "ml_low",
    "ml_point",
    "ml_high",
    "deployment_low",
    "deployment_point",
    "deployment_high",
)


@dataclass(frozen=True)
class PasswordChange:
    """The password that is known now, and the one to be known from now on."""

    current: str
    new: str


def change_profile(
    *, actor: Actor, changes: Mapping[str, object], key: str | None = None
) -> Answer:
    """Change what the person says of themselves; an expertise of None is their persona's again.

    Raises Invalid with every problem, NotAllowed where nobody in person asks.
    """
    user = _person(actor)
    wanted = {
        name: value.strip() if isinstance(value, str) else value for name, value in changes.items()
    }
    problems = {name: _problems(name, value) for name, value in wanted.items()}
    if not problems.get("name") and _is_anothers(user, wanted.get("name")):
        problems["name"] = ["is the name or login of another person here"]
    if any(problems.values()):
        told = {name: texts for name, texts in problems.items() if texts}
        raise Invalid("Your profile cannot be changed.", fields=told)

    def body(command: Command, locked: User) -> dict[str, object]:
        changed = [name for name, value in wanted.items() if getattr(locked, name) != value]
        if changed:
            before = {name: getattr(locked, name) for name in changed if name in OPEN}
            for name in changed:
                setattr(locked, name, wanted[name])
            locked.save(update_fields=changed)
            command.recorder.record(
                locked.stream,
                "person.changed",
                subject=("person", locked.pk),
                data={
                    "changed": changed,
                    "before": before,
                    "after": {name: wanted[name] for name in before},
                },
            )
        return {"user": locked.pk, "changed": changed}

    return execute(
        actor=actor,
        name="change_profile",
        lock=lambda: User.objects.select_for_update().get(pk=user.pk),
        body=body,
        key=key,
        request={"user": user.pk, **wanted},
    )


def _is_anothers(user: User, name: object) -> bool:
    """Whether somebody else is known by it: names stand under decisions."""
    if not isinstance(name, str) or name == user.name:
        return False
    same = Q(name__iexact=name) | Q(username__iexact=name)
    return User.objects.filter(same, is_active=True).exclude(pk=user.pk).exists()


def _problems(name: str, value: object) -> list[str]:
    """Return what is wrong with one value of a profile."""
    if name not in FIELDS:
        return [f"is not a field here; known: {', '.join(FIELDS)}"]
    if name in POINTS:
        return [] if value is None else _point_problems(value)
    if not isinstance(value, str):
        return [f"must be a text, got {value!r}"]
    if name == "name":
        return _text_problems(value, LONGEST_NAME) if value else ["must not be empty"]
    if name == "time_zone":
        return zone_problems(value)
    if name == "language":
        known = [code for code, _ in settings.LANGUAGES]
        known_here = not value or value in known
        return [] if known_here else [f"must be one of {', '.join(known)}, got {value[:20]!r}"]
    return _email_problems(value)


def _point_problems(value: object) -> list[str]:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= EXPERT:
        return []
    return [f"must be a whole number from 0 to {EXPERT}, got {str(value)[:20]!r}"]


def _text_problems(value: str, most: int) -> list[str]:
    if len(value) > most:
        return [f"has {len(value)} characters; at most {most}"]
    # A line end in a name could become a header of a mail.
    return [] if value.isprintable() else ["must be one line, without control characters"]


def _email_problems(value: str) -> list[str]:
    if not value:
        return []
    problems = _text_problems(value, LONGEST_EMAIL)
    try:
        validate_email(value)
    except ValidationError:
        problems.append("must be an address such as ada@example.org")
    return problems


def change_password(*, actor: Actor, change: PasswordChange, key: str | None = None) -> Answer:
    """Change one's own password; every session ends but the one that renews its hash.

    Raises Invalid for a wrong current or a weak new one, Conflict where it changed meanwhile.
    """
    user = _person(actor)
    problems: dict[str, list[str]] = {}
    if not user.check_password(change.current):
        problems["current"] = ["is not your password"]
    if len(change.new) > LONGEST_PASSWORD:
        problems["new"] = [f"has {len(change.new)} characters; at most {LONGEST_PASSWORD}"]
    else:
        try:
            validate_password(change.new, user)
        except ValidationError as error:
            problems["new"] = list(error.messages)
    if problems:
        raise Invalid("The password cannot be changed.", fields=problems)
    known, made = user.password, make_password(change.new)

    def body(command: Command, locked: User) -> dict[str, object]:
        if locked.password != known:
            raise Conflict("password_changed", "Your password was changed elsewhere meanwhile.")
        locked.password = made
        locked.save(update_fields=["password"])
        command.recorder.record(
            locked.stream, "person.password_changed", subject=("person", locked.pk)
        )
        return {"user": locked.pk}

    # Neither password is part of what the receipt remembers.
    return _of_oneself(actor, user, "change_password", body, key, was=known)


def sign_out_elsewhere(*, actor: Actor, key: str | None = None) -> Answer:
    """End every session of the person; the caller renews the hash of the one that asked."""
    user = _person(actor)

    def body(command: Command, locked: User) -> dict[str, object]:
        locked.sign_outs += 1
        locked.save(update_fields=["sign_outs"])
        command.recorder.record(
            locked.stream, "person.signed_out_elsewhere", subject=("person", locked.pk)
        )
        return {"user": locked.pk}

    return _of_oneself(actor, user, "sign_out_elsewhere", body, key)


def change_ranges(
    *, actor: Actor, persona: Persona, ranges: Mapping[str, int], key: str | None = None
) -> Answer:
    """Change a persona's expertise ranges (points); hand-offs prepared from now on use them.

    Raises Invalid with every problem, NotAllowed without `users.manage`.
    """
    user = _person(actor)
    policies.require(user, "users.manage")
    problems = _range_problems(persona, ranges)
    if problems:
        raise Invalid("The ranges cannot be changed.", fields=problems)

    def body(command: Command, locked: Persona) -> dict[str, object]:
        before = {name: getattr(locked, name) for name in ranges}
        for name, value in ranges.items():
            setattr(locked, name, value)
        locked.save(update_fields=list(ranges))
        command.recorder.record(
            ("persona", locked.pk),
            "persona.changed",
            subject=("persona", None),
            data={"before": before, "after": dict(ranges)},
        )
        return {"persona": locked.pk, **ranges}

    return execute(
        actor=actor,
        name="change_ranges",
        lock=lambda: Persona.objects.select_for_update().get(pk=persona.pk),
        body=body,
        key=key,
        request={"persona": persona.pk, **ranges},
    )


def _range_problems(persona: Persona, ranges: Mapping[str, int]) -> dict[str, list[str]]:
    """Return what is wrong, by field: points, and low <= point <= high on either axis."""
    problems = {
        name: _point_problems(value) if name in RANGES else ["is not a field here"]
        for name, value in ranges.items()
    }
    if not any(problems.values()):
        for axis in ("ml", "deployment"):
            low, point, high = (
                ranges.get(f"{axis}_{part}", getattr(persona, f"{axis}_{part}"))
                for part in ("low", "point", "high")
            )
            if not low <= point <= high:
                problems[f"{axis}_point"] = [f"must lie from {low} to {high}, but is {point}"]
    return {name: texts for name, texts in problems.items() if texts}


def point_of(user: User, personas: Sequence[Persona], axis: str) -> int | None:
    """Return where a person stands on an axis: as they say, else their first persona's point."""
    own: int | None = getattr(user, f"{axis}_point")
    if own is not None:
        return own
    return getattr(personas[0], f"{axis}_point") if personas else None


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise NotAllowed("actor", "Only people change what people say of themselves.")
    return actor.user


def _of_oneself(
    actor: Actor,
    user: User,
    name: str,
    body: Callable[[Command, User], Mapping[str, object]],
    key: str | None,
    *,
    was: str = "",
) -> Answer:
    # A form sent again after the change is another request, and must not be told "done already".
    return execute(
        actor=actor,
        name=name,
        lock=lambda: User.objects.select_for_update().get(pk=user.pk),
        body=body,
        key=key,
        request={"user": user.pk, "was": hashlib.sha256(was.encode()).hexdigest()[:16]},
    )
