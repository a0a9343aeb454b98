"""What has changed, for those who may follow it."""

from collections.abc import Iterable
from datetime import timedelta

from personas.models import BatonNow, Event, User
from pipelines.runs.models import (
    Run,
)
from pipelines.usecases.policies import visible


def use_case_ids_seen(user: User) -> set[int]:
    """Return the ids of every use case the person may see."""
    return set(visible(user).values_list("pk", flat=True))


def streams_seen(user: User, names: Iterable[str]) -> set[str]:
    """Return those of the streams ("run:3", "use_case:2") whose changes the person may follow."""
    wanted: dict[str, set[int]] = {"run": set(), "use_case": set()}
    for name in names:
        kind, _, key = name.partition(":")
        if kind in wanted and key.isdecimal() and len(key) < 19:
            wanted[kind].add(int(key))
    seen: set[str] = set()
    if wanted["run"]:
        runs = Run.objects.filter(pk__in=wanted["run"], use_case__in=visible(user))
        seen |= {f"run:{pk}" for pk in runs.values_list("pk", flat=True)}
    if wanted["use_case"]:
        use_cases = visible(user).filter(pk__in=wanted["use_case"])
        seen |= {f"use_case:{pk}" for pk in use_cases.values_list("pk", flat=True)}
    return seen


def use_case_ids_of(runs: Iterable[int]) -> dict[int, int]:
    """Return the use case of each run; for deciding who is told of a change."""
    return dict(Run.objects.filter(pk__in=runs).values_list("pk", "use_case_id"))


def changed_lately(
    streams: Iterable[str], use_cases: Iterable[int] | None, *, within: timedelta
) -> bool:
    """Whether one of the streams, or a run of one of the use cases (None: any), just changed."""
    rows = Event.objects.filter(at__gt=BatonNow() - within)
    changed = set(rows.values_list("stream__kind", "stream__key"))
    if use_cases is None or {f"{kind}:{key}" for kind, key in changed} & set(streams):
        return bool(changed)
    runs = use_case_ids_of(int(key) for kind, key in changed if kind == "run")
    return not set(runs.values()).isdisjoint(use_cases)
