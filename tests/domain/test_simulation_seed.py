"""The same seed is the same history."""

import re

import pytest
from django.core.management import call_command

from personas.models import Event
from pipelines.runs.models import Run
from tests.domain.simulated import play
from tests.long import at_length

IDS = re.compile(r"_\d+")  # keys of what needs attention end in them


def history() -> list[tuple[object, ...]]:
    """All that happened, without ids: those are the database's."""
    labels = {
        ("run", str(run.pk)): f"{run.use_case.key} {run.number}"
        for run in Run.objects.select_related("use_case")
    }
    rows = Event.objects.select_related("stream").order_by("at", "stream__kind", "id")
    kept = ("code", "stage", "key", "reason", "verdict", "percent", "round", "persona")
    return [
        (
            labels.get((row.stream.kind, row.stream.key), row.stream.kind),
            row.seq if row.stream.kind == "run" else 0,
            row.type,
            row.actor_name,
            row.at,
            row.before,
            row.after,
            tuple(
                IDS.sub("_", row.data[name]) for name in kept if isinstance(row.data.get(name), str)
            ),
        )
        for row in rows
    ]


def told_of(seed: int) -> list[tuple[object, ...]]:
    # Numbers go on: a process remembers what a blueprint's version says by its number.
    call_command("flush", interactive=False, verbosity=0, reset_sequences=False)
    play(seed=seed, days=at_length(20, else_=8), use_cases=at_length(3, else_=2))
    return history()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_same_seed_is_the_same_history_and_another_is_not() -> None:
    first, again, other = told_of(5), told_of(5), told_of(6)
    assert len(first) > 100
    for one, two in zip(first, again, strict=True):
        assert one == two
    assert other != first
