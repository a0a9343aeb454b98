"""Artefacts."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import (
    BooleanField,
    F,
    Func,
    QuerySet,
    Value,
)

from personas.errors import Invalid, NotFound
from personas.models import Event, User
from pipelines.artefacts.models import Artefact
from pipelines.runs import previews
from pipelines.runs.models import (
    Attempt,
    Run,
)
from pipelines.usecases.policies import visible


def artefact_for(user: User, digest: str) -> Artefact:
    """Return the artefact if the person brought it or sees a run with it. Raises NotFound."""
    found = Artefact.objects.filter(digest=digest).first()
    if found is None or not _may_read(user, found):
        raise NotFound("artefact", f"There is no artefact {digest[:12]}… that you may see.")
    return found


def check_inputs(user: User, inputs: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
    """Raise Invalid where inputs name artefacts that are not there or not the person's to read.

    Without this a digest that was overheard would open its content through a run of one's own.
    """
    problems: dict[str, list[str]] = {}
    for name, parts in inputs.items():
        digests = {part["digest"] for part in parts}
        known = Artefact.objects.in_bulk(list(digests))
        hidden = [d for d in digests if d not in known or not _may_read(user, known[d])]
        if hidden:
            rule = "there is no artefact {} that you may see"
            problems[f"inputs.{name}"] = [rule.format(digest) for digest in sorted(hidden)]
    if problems:
        raise Invalid("These inputs cannot be used.", fields=problems)


def _may_read(user: User, artefact: Artefact) -> bool:
    if user.can("read_all") or artefact.created_by_id == user.pk:
        return True
    seen = visible(user)
    holders: tuple[QuerySet[Any], ...] = (
        Event.objects.filter(
            stream__kind="person",
            stream__key=str(user.pk),
            type="artefact.uploaded",
            data__digest=artefact.pk,
        ),
        Event.objects.filter(
            stream__kind="use_case",
            stream__key__in=[str(pk) for pk in seen.values_list("pk", flat=True)],
            type=previews.EVENT,
            data__digest=artefact.pk,
        ),
        _naming(Attempt.objects.filter(run__use_case__in=seen), "outputs", artefact.pk),
        _naming(Run.objects.filter(use_case__in=seen), "inputs", artefact.pk),
        _naming(seen, "inputs", artefact.pk),
        _naming(Attempt.objects.filter(run__use_case__in=seen), "inputs", artefact.pk),
    )
    return any(rows.exists() for rows in holders)


def _naming(rows: QuerySet[Any], column: str, digest: str) -> QuerySet[Any]:
    """The rows whose JSON column has an object with this digest, at any depth."""
    names_it = Func(
        F(column),
        Value("$.**.digest ? (@ == $d)"),
        Func(Value("d"), Value(digest), function="jsonb_build_object"),
        function="jsonb_path_exists",
        output_field=BooleanField(),
    )
    return rows.filter(names_it)
