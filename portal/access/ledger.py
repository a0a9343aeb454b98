"""Events."""

from django.db.models import (
    CharField,
    Q,
    QuerySet,
)
from django.db.models.functions import Cast

from personas import policies, queries
from personas.errors import NotFound
from personas.models import Event, Stream, User
from pipelines.registry import queries as registry
from pipelines.runs.models import (
    Run,
)
from pipelines.usecases.policies import visible

LONGEST_KEY = 19  # digits; more than a row's number can have


def events_for(user: User, stream: str) -> QuerySet[Event]:
    """Return the events of `kind:key`, or of every stream the person may read, newest first.

    Raises NotFound for streams the person may not know of.
    """
    if not stream:
        return ledger_of(user)
    kind, _, key = stream.partition(":")
    if not _may_follow(user, kind, key):
        raise NotFound("stream", f"There is no stream {stream!r} that you may see.")
    return queries.events_of(kind, key)


def ledger_of(user: User) -> QuerySet[Event]:
    """Return every event the person may read, of all streams, with their people, newest first."""
    rows = Event.objects.select_related("actor", "stream").order_by("-at", "-id")
    if user.can("read_all"):
        return rows
    seen = visible(user)
    runs, models = Run.objects.filter(use_case__in=seen), registry.models(user)
    mine = Q(stream__kind="person", stream__key=str(user.pk))
    for kind, found in (("run", runs), ("use_case", seen), ("model", models)):
        keys = found.order_by().annotate(text=Cast("pk", CharField())).values("text")
        mine |= Q(stream__kind=kind, stream__key__in=keys)
    return rows.filter(mine)


def stream_for(user: User, name: str) -> Stream:
    """Return the stream `kind:key` that the person may follow. Raises NotFound."""
    kind, _, key = name.partition(":")
    found = Stream.objects.filter(kind=kind, key=key).first()
    if found is None or not _may_follow(user, kind, key):
        raise NotFound("stream", f"There is no stream {name!r} that you may see.")
    return found


def _may_follow(user: User, kind: str, key: str) -> bool:
    if user.can("read_all") or kind == "blueprint":
        return True
    if kind == "person":
        return key == str(user.pk) or policies.may_manage_users(user)
    if not key.isdecimal() or len(key) >= LONGEST_KEY:
        return False
    seen = visible(user)
    if kind == "run":
        return Run.objects.filter(pk=key, use_case__in=seen).exists()
    if kind == "model":
        return registry.models(user).filter(pk=key).exists()
    return kind == "use_case" and seen.filter(pk=key).exists()
