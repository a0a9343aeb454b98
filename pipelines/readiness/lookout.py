"""Which use cases are to be looked at: where something moved, ended, or nobody looked for a day."""

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import InterfaceError, OperationalError
from django.db.models import Max, Q

from personas.errors import DomainError
from personas.models import Event
from pipelines.lifecycles import AttestationState
from pipelines.readiness.actions import look
from pipelines.readiness.models import Attestation, Look
from pipelines.registry.models import Model
from pipelines.runs.models import Run
from pipelines.runs.queries.clock import now as read_clock
from pipelines.usecases.models import UseCase

logger = logging.getLogger(__name__)

# An event has the time at which its command began; it may commit some seconds later.
SLACK: Final = timedelta(seconds=10)
# Looks that were cut short are made up for.
BACK: Final = timedelta(minutes=5)
# What only time changes (the age of what is live) is looked at once a day.
LONGEST: Final = timedelta(days=1)


def look_out() -> int:
    """Look at every use case that is due; returns how many. Raises OperationalError."""
    found = due()
    for pk in found:
        try:
            look(use_case_id=pk)
        except DomainError as error:
            # Busy: the next lookout comes soon. Anything else is news, and no reason to stop.
            logger.info("readiness: %s", error.message)
        except (OperationalError, InterfaceError):
            raise
        # One use case whose evidence cannot be read must not keep the others from theirs.
        except Exception:
            logger.exception("readiness: use case %s cannot be looked at", pk)
    return len(found)


def due() -> list[int]:
    """Return the ids of the use cases to look at, those that wait longest first: seven queries."""
    now = read_clock()
    last = Look.objects.aggregate(last=Max("looked_at"))["last"]
    since = max(last - BACK, now - LONGEST) if last else now - LONGEST
    moved = _moved(since)
    over = Attestation.objects.filter(
        state=AttestationState.STANDING, expires_at__lte=now
    ).values_list("use_case_id", flat=True)
    ended = set(over)
    rows = UseCase.objects.filter(
        Q(look=None)
        | Q(look__looked_at=None)
        | Q(look__looked_at__lt=now - LONGEST)
        | Q(pk__in=moved)
        | Q(pk__in=ended),
        draft=False,
        retired_at=None,
    )
    looked = rows.order_by("look__looked_at", "pk").values_list("pk", "look__looked_at")
    return [pk for pk, at in looked if pk in ended or _is_due(at, moved.get(pk), now)]


def _is_due(looked_at: datetime | None, moved_at: datetime | None, now: datetime) -> bool:
    """Whether something moved since the look; where nothing moved, the condition was another."""
    if looked_at is None or moved_at is None:
        return True
    return looked_at < moved_at + SLACK or looked_at < now - LONGEST


def _moved(since: datetime) -> dict[int, datetime]:
    """The use cases of which an event was written since, with the last one's time."""
    rows = Event.objects.filter(at__gt=since, stream__kind__in=("run", "model", "use_case"))
    by_kind: dict[str, dict[int, datetime]] = {}
    told = rows.order_by().values_list("stream__kind", "stream__key").annotate(at=Max("at"))
    for kind, key, at in told:
        by_kind.setdefault(kind, {})[int(key)] = at
    found: dict[int, datetime] = dict(by_kind.get("use_case", {}))
    runs, models = by_kind.get("run", {}), by_kind.get("model", {})
    _latest(found, runs, Run.objects.filter(pk__in=runs).values_list("pk", "use_case_id"))
    _latest(found, models, Model.objects.filter(pk__in=models).values_list("pk", "use_case_id"))
    return found


def _latest(
    found: dict[int, datetime], times: Mapping[int, datetime], pairs: Iterable[tuple[int, int]]
) -> None:
    for pk, use_case in pairs:
        found[use_case] = max(found.get(use_case, times[pk]), times[pk])
