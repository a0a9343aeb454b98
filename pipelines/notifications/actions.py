"""What people do with notifications: read them, and say how they wish to be told."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any, Final

from personas.commands import Answer, Command, execute
from personas.errors import Invalid, NotAllowed
from personas.ledger import Actor
from personas.models import User
from pipelines.notifications import kinds
from pipelines.notifications.models import Notification, Preferences
from pipelines.notifications.queries import preferences_of
from pipelines.notifications.schedule import due_at

MOST_READ: Final = 500
FIELDS: Final = ("mail", "by_kind", "digest_hour", "quiet_from", "quiet_until")


def mark_read(
    *,
    actor: Actor,
    ids: Sequence[int] = (),
    until: int | None = None,
    key: str | None = None,
) -> Answer:
    """Mark some of one's notifications as read, or all up to the id `until`. Raises Invalid.

    Of others' it touches none. Nothing else marks any: opening a page does not.
    """
    user = _person(actor)
    if len(ids) > MOST_READ:
        told = {"ids": [f"at most {MOST_READ}, got {len(ids)}; use `until` for all"]}
        raise Invalid("These cannot be marked.", fields=told)
    if not ids and until is None:
        raise Invalid("These cannot be marked.", fields={"ids": ["name ids, or give `until`"]})

    def body(command: Command, _locked: None) -> dict[str, object]:
        rows = Notification.objects.filter(user=user, read_at=None)
        rows = rows.filter(pk__in=ids) if ids else rows.filter(pk__lte=until)
        command.recorder.notify("baton_changed", f"person:{user.pk}:0")
        return {"read": rows.update(read_at=command.now)}

    return execute(
        actor=actor,
        name="mark_read",
        lock=lambda: None,
        body=body,
        key=key,
        request={"ids": list(ids), "until": until},
    )


def set_preferences(*, actor: Actor, wish: Mapping[str, Any], key: str | None = None) -> Answer:
    """Say how one wishes to be told; what `wish` leaves out stays. Raises Invalid with all fields.

    What still waits to go out by mail follows the new wish.
    """
    user = _person(actor)
    _check(wish)

    def body(command: Command, locked: User) -> dict[str, object]:
        row = preferences_of(locked)
        for name, value in wish.items():
            merged = {**row.by_kind, **value} if name == "by_kind" else value
            setattr(row, name, merged)
        if (row.quiet_from is None) != (row.quiet_until is None):
            told = {"quiet_until": ["quiet hours need a beginning and an end, or neither"]}
            raise Invalid("This cannot be set.", fields=told)
        row.save()
        _follow(command.now, locked, row)
        command.recorder.record(
            locked.stream,
            "person.notifications_set",
            subject=("person", locked.pk),
            data=summary(row),
        )
        return summary(row)

    return execute(
        actor=actor,
        name="set_notifications",
        lock=lambda: User.objects.select_for_update().get(pk=user.pk),
        body=body,
        key=key,
        request={k: str(v) if isinstance(v, time) else v for k, v in wish.items()},
    )


def summary(row: Preferences) -> dict[str, object]:
    """Return the preferences as JSON, each kind with what holds for it."""
    return {
        "mail": row.mail,
        "by_kind": {kind: str(row.by_kind.get(kind, kinds.DEFAULTS[kind])) for kind in kinds.KINDS},
        "digest_hour": row.digest_hour,
        "quiet_from": row.quiet_from.strftime("%H:%M") if row.quiet_from else None,
        "quiet_until": row.quiet_until.strftime("%H:%M") if row.quiet_until else None,
    }


def _follow(moment: datetime, user: User, row: Preferences) -> None:
    """Give what waits for a mail its time anew, or none."""
    waiting = Notification.objects.filter(user=user, mail=None, mail_due_at__isnull=False)
    for kind in set(waiting.order_by().values_list("kind", flat=True)):
        mode = row.mode(kind)
        off = mode == kinds.OFF
        due = None if off else due_at(moment, mode, row.habits(user.time_zone))
        waiting.filter(kind=kind).update(mode="" if off else mode, mail_due_at=due)


def _check(wish: Mapping[str, Any]) -> None:
    problems: dict[str, list[str]] = {}
    for name in wish:
        if name not in FIELDS:
            problems[name] = [f"is not a field here; known: {', '.join(FIELDS)}"]
    hour = wish.get("digest_hour", 0)
    if not isinstance(hour, int) or not 0 <= hour <= 23:
        problems["digest_hour"] = [f"must be a whole hour from 0 to 23, got {hour!r}"]
    chosen = wish.get("by_kind", {})
    for kind, mode in chosen.items():
        if kind not in kinds.KINDS:
            known = ", ".join(kinds.KINDS)
            problems.setdefault("by_kind", []).append(f"unknown kind {kind!r}; known: {known}")
        elif mode not in kinds.MODES:
            told = f"{kind}: must be one of {', '.join(kinds.MODES)}, got {mode!r}"
            problems.setdefault("by_kind", []).append(told)
    if problems:
        raise Invalid("This cannot be set.", fields=problems)


def _person(actor: Actor) -> User:
    if actor.user is None:
        raise NotAllowed("actor.person", "Notifications are for people.")
    return actor.user
