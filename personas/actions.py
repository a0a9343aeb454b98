"""Changes to people and tokens."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from django.db.models import Q

from personas import policies
from personas.calendars import MOST_HOLIDAYS, default_hours, hours_problems, zone_problems
from personas.commands import Answer, Command, execute
from personas.errors import Conflict, Invalid, NotAllowed
from personas.ledger import Actor
from personas.models import BatonNow, BusinessCalendar, Persona, Token, User
from personas.people import CAPABILITIES, PERSONAS

TOKEN_USE_EVERY: Final = timedelta(minutes=1)
SCOPES = ("read", "write", "decide", "predict", "labels")
TOKEN_PREFIX = "baton_"
LONGEST_TOKEN = timedelta(days=366)


def sync_personas() -> None:
    """Create the personas and calendars that are missing; edited ones are kept."""
    for definition in PERSONAS:
        Persona.objects.get_or_create(
            code=definition.code,
            defaults={
                "title": definition.title,
                "lane": definition.lane,
                "ml_low": definition.ml.low,
                "ml_high": definition.ml.high,
                "ml_point": definition.ml.point,
                "deployment_low": definition.deployment.low,
                "deployment_high": definition.deployment.high,
                "deployment_point": definition.deployment.point,
                "cares_for": definition.cares_for,
            },
        )
        BusinessCalendar.objects.get_or_create(
            persona_id=definition.code, defaults={"hours": default_hours(definition.code)}
        )


def change_calendar(
    *,
    actor: Actor,
    calendar: BusinessCalendar,
    zone: str,
    hours: Mapping[str, Sequence[str]],
    holidays: Sequence[date] = (),
    key: str | None = None,
) -> Answer:
    """Change when a persona works; deadlines that are set already stay as they are.

    Raises Invalid with every problem, NotAllowed without `operations.manage`.
    """
    if actor.user is None:
        raise NotAllowed("actor", "Only people change calendars.")
    policies.require(actor.user, "operations.manage")
    problems = {
        "zone": zone_problems(zone),
        "hours": hours_problems(hours),
        "holidays": [f"has {len(holidays)} days; at most {MOST_HOLIDAYS}"]
        if len(holidays) > MOST_HOLIDAYS
        else [],
    }
    if any(problems.values()):
        raise Invalid("The calendar cannot be changed.", fields=_only(problems))
    given = {
        "zone": zone,
        "hours": {day: list(texts) for day, texts in hours.items() if texts},
        "holidays": [day.isoformat() for day in sorted(set(holidays))],
    }

    def body(command: Command, locked: BusinessCalendar) -> dict[str, object]:
        locked.zone, locked.hours = zone, given["hours"]
        locked.holidays = sorted(set(holidays))
        locked.save(update_fields=["zone", "hours", "holidays"])
        command.recorder.record(
            ("persona", locked.persona_id),
            "calendar.changed",
            subject=("calendar", None),
            data=given,
        )
        return {"persona": locked.persona_id, **given}

    return execute(
        actor=actor,
        name="change_calendar",
        lock=lambda: BusinessCalendar.objects.select_for_update().get(pk=calendar.pk),
        body=body,
        key=key,
        request={"persona": calendar.pk, **given},
    )


def create_user(
    *,
    actor: Actor,
    username: str,
    name: str,
    password: str | None = None,
    personas: Sequence[str] = (),
    capabilities: Sequence[str] = (),
    key: str | None = None,
) -> Answer:
    """Create a person; raises Invalid naming every unknown persona or capability, NotAllowed.

    Who may manage operations may also enter the console.
    """
    _may_manage(actor)
    known = set(Persona.objects.values_list("code", flat=True))
    problems = {
        "username": [] if username.strip() else ["must not be empty"],
        "personas": [f"unknown persona {code!r}" for code in personas if code not in known],
        "capabilities": [
            f"unknown capability {c!r}" for c in capabilities if c not in CAPABILITIES
        ],
    }
    if any(problems.values()):
        raise Invalid("The person cannot be created.", fields=_only(problems))

    def body(command: Command, _locked: None) -> dict[str, object]:
        if User.objects.filter(username__iexact=username).exists():
            taken = {"username": [f"{username!r} is taken"]}
            raise Invalid("The person cannot be created.", fields=taken)
        user = User.objects.create_user(
            username,
            password=password,
            name=name,
            capabilities=list(capabilities),
            is_staff="operations.manage" in capabilities,
        )
        user.personas.set(Persona.objects.filter(code__in=personas))
        command.recorder.record(
            ("person", str(user.pk)),
            "person.created",
            subject=("person", user.pk),
            data={"name": name, "personas": list(personas), "capabilities": list(capabilities)},
        )
        return {"user": user.pk, "username": user.username}

    return execute(
        actor=actor,
        name="create_user",
        lock=lambda: None,
        body=body,
        key=key,
        request={
            "username": username,
            "name": name,
            "personas": list(personas),
            "capabilities": list(capabilities),
        },
    )


def show_tour(*, actor: Actor, shown: bool, key: str | None = None) -> Answer:
    """Show one's tour of the first pages again, or put it away. Raises NotAllowed for machines."""
    user = actor.user
    if user is None or user.is_service:
        raise NotAllowed("actor.person", "Only people take the tour.")

    def body(command: Command, locked: User) -> dict[str, object]:
        locked.tour_closed_at = None if shown else command.now
        locked.save(update_fields=["tour_closed_at"])
        command.recorder.record(
            ("person", str(locked.pk)),
            "person.tour_shown" if shown else "person.tour_closed",
            subject=("person", locked.pk),
        )
        return {"tour": shown}

    return execute(
        actor=actor,
        name="show_tour",
        lock=lambda: User.objects.select_for_update().get(pk=user.pk),
        body=body,
        key=key,
        request={"shown": shown},
    )


def set_active(*, actor: Actor, user: User, active: bool, key: str | None = None) -> Answer:
    """Let a person sign in or not; raises NotAllowed."""
    _may_manage(actor)

    def body(command: Command, locked: User) -> dict[str, object]:
        locked.is_active = active
        locked.save(update_fields=["is_active"])
        command.recorder.record(
            ("person", str(user.pk)),
            "person.activated" if active else "person.deactivated",
            subject=("person", user.pk),
        )
        return {"user": user.pk, "active": active}

    return execute(
        actor=actor,
        name="set_active",
        lock=lambda: _lock_user(user),
        body=body,
        key=key,
        request={"user": user.pk, "active": active},
    )


def issue_token(
    *,
    actor: Actor,
    user: User,
    name: str,
    scopes: Sequence[str],
    lifetime: timedelta,
    key: str | None = None,
) -> tuple[Token, str]:
    """Issue a bearer token and return it with its secret, which is shown this once only.

    A replay returns the token with an empty secret. Raises NotAllowed for another's token without
    `users.manage`, and always for another person's: it would decide in their name. Invalid for
    bad scopes.
    """
    if actor.user != user:
        _may_manage(actor)
        if actor.user is not None and not user.is_service:
            raise NotAllowed("token.person", "People issue their tokens themselves.")
    problems = {
        "scopes": [
            f"unknown scope {s!r}; known: {', '.join(SCOPES)}" for s in scopes if s not in SCOPES
        ],
        "name": [] if name.strip() else ["must not be empty"],
        "lifetime": [] if timedelta(0) < lifetime <= LONGEST_TOKEN else ["must be 1 to 366 days"],
    }
    if not scopes:
        problems["scopes"].append("name at least one scope")
    if any(problems.values()):
        raise Invalid("The token cannot be issued.", fields=_only(problems))
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)

    def body(command: Command, _locked: User) -> dict[str, object]:
        token = Token.objects.create(
            user=user,
            name=name,
            prefix=secret[:12],
            digest=Token.hash(secret),
            scopes=list(scopes),
            expires_at=command.now + lifetime,
        )
        command.recorder.record(
            ("person", str(user.pk)),
            "token.issued",
            subject=("token", token.pk),
            data={"name": name, "scopes": list(scopes), "prefix": token.prefix},
        )
        return {"token": token.pk}

    answer = execute(
        actor=actor,
        name="issue_token",
        lock=lambda: _lock_user(user),
        body=body,
        key=key,
        request={
            "user": user.pk,
            "name": name,
            "scopes": list(scopes),
            "seconds": lifetime.total_seconds(),
        },
    )
    return Token.objects.get(pk=answer.data["token"]), "" if answer.replayed else secret


def note_token_use(token: Token) -> None:
    """Note that a token is in use, at most once a minute; no event, for nothing changes by it."""
    asked_at = getattr(token, "asked_at", None)  # the database's clock, where it was looked up
    noted = token.last_used_at
    if asked_at is not None and noted is not None and asked_at - noted < TOKEN_USE_EVERY:
        return
    a_minute_ago = BatonNow() - TOKEN_USE_EVERY
    Token.objects.filter(
        Q(last_used_at=None) | Q(last_used_at__lt=a_minute_ago), pk=token.pk
    ).update(last_used_at=BatonNow())


def revoke_token(*, actor: Actor, token: Token) -> Answer:
    """Make a token useless at once; raises NotAllowed, Conflict where it was revoked before."""
    if actor.user != token.user:
        _may_manage(actor)

    def body(command: Command, _locked: User) -> dict[str, object]:
        changed = Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=command.now)
        if not changed:
            raise Conflict("already_revoked", "This token is revoked already.", state="revoked")
        command.recorder.record(
            ("person", str(token.user_id)), "token.revoked", subject=("token", token.pk)
        )
        return {"token": token.pk, "revoked": True}

    return execute(
        actor=actor,
        name="revoke_token",
        lock=lambda: _lock_user(token.user),
        body=body,
        request={"token": token.pk},
    )


def _lock_user(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def _may_manage(actor: Actor) -> None:
    if actor.kind == "service" and actor.user is None:
        return
    if actor.user is None:
        raise NotAllowed("actor", "Only people manage people.")
    policies.require(actor.user, "users.manage")


def _only(problems: dict[str, list[str]]) -> dict[str, list[str]]:
    return {field: texts for field, texts in problems.items() if texts}
