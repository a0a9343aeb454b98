"""The edges' only door to rows: fetch and check in one call. Raises NotFound for what is not
there and for what the person may not know of; the two must not be told apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from django.db import models
from django.db.models import (
    BooleanField,
    CharField,
    F,
    Func,
    Max,
    Prefetch,
    Q,
    QuerySet,
    Value,
    prefetch_related_objects,
)
from django.db.models.functions import Cast

from personas import policies, queries
from personas.errors import Invalid, NotFound
from personas.models import BatonNow, Event, Stream, Token, User
from pipelines.artefacts.models import Artefact
from pipelines.monitoring import queries as monitoring
from pipelines.monitoring.models import Alert
from pipelines.registry import queries as registry
from pipelines.registry.models import Model
from pipelines.runs.models import (
    Attempt,
    Check,
    Decision,
    Gate,
    HandOff,
    Run,
    Stage,
    Step,
    WorkItem,
)
from pipelines.usecases.models import Blueprint, BlueprintVersion, Seat, UseCase
from pipelines.usecases.policies import visible

Row = TypeVar("Row", bound=models.Model)


def use_case_for(user: User, key: str) -> UseCase:
    """Return the use case of this key that the person may see. Raises NotFound."""
    found = visible(user).select_related("blueprint", "created_by").filter(key=key).first()
    if found is None:
        raise NotFound("use_case", f"There is no use case {key!r} that you may see.")
    return found


def use_cases_of(user: User) -> QuerySet[UseCase]:
    """Return every use case the person may see."""
    return visible(user)


def run_for(user: User, pk: int) -> Run:
    """Return the run, with its use case and version. Raises NotFound."""
    rows = Run.objects.select_related("use_case", "version__blueprint", "created_by")
    return _one(rows.filter(use_case__in=visible(user)), pk, "run")


def stage_for(user: User, pk: int) -> Stage:
    """Return the stage, with its run, persona and owner. Raises NotFound."""
    rows = Stage.objects.select_related(
        "run__use_case", "run__version", "persona", "owner", "returned_by"
    )
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "stage")


def step_for(user: User, pk: int) -> Step:
    """Return the step, with its stage and run. Raises NotFound."""
    rows = Step.objects.select_related("run__use_case", "stage", "result", "edited_by")
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "step")


def attempt_for(user: User, pk: int) -> Attempt:
    """Return the attempt, with its step, stage and run. Raises NotFound."""
    rows = Attempt.objects.select_related("run__use_case", "step__stage", "cached_from")
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "attempt")


def item_for(user: User, pk: int) -> WorkItem:
    """Return the work item, with its stage, run and holder. Raises NotFound."""
    rows = WorkItem.objects.select_related(
        "run__use_case", "run__version", "stage__persona", "holder", "completed_by", "persona"
    )
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "work item")


def gate_for(user: User, pk: int) -> Gate:
    """Return the gate, with its stage and run. Raises NotFound."""
    rows = Gate.objects.select_related(
        "run__use_case", "run__version", "stage__persona", "stage__owner", "closed_by"
    )
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "gate")


def gate_to_decide_for(user: User, pk: int) -> Gate:
    """Return the gate without its evidence: a decision names what was seen by its digest.

    Raises NotFound. Decoding the evidence would cost a decision more than its own queries.
    """
    rows = Gate.objects.select_related("run__use_case", "stage").defer("pack")
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "gate")


def gate_with_evidence_for(user: User, pk: int) -> Gate:
    """Return the gate with its checks and decisions, for looking at it. Raises NotFound."""
    gate = gate_for(user, pk)
    checks = Check.objects.select_related("waived_by").order_by("position")
    decisions = Decision.objects.select_related("user").order_by("at", "id")
    prefetch_related_objects([gate], Prefetch("checks", checks), Prefetch("decisions", decisions))
    return gate


def check_for(user: User, pk: int) -> Check:
    """Return the check, with its gate and run. Raises NotFound."""
    rows = Check.objects.select_related("run__use_case", "gate__stage", "hand_off")
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "check")


def hand_off_for(user: User, pk: int) -> HandOff:
    """Return the hand-off, with both stages and its run. Raises NotFound."""
    rows = HandOff.objects.select_related(
        "run__use_case",
        "run__version",
        "source__persona",
        "source__owner",
        "target__persona",
        "offered_by",
        "answered_by",
    )
    return _one(rows.filter(run__use_case__in=visible(user)), pk, "hand-off")


def hand_off_with_package_for(user: User, pk: int) -> HandOff:
    """Return the hand-off with the checks of its contract. Raises NotFound."""
    hand_off = hand_off_for(user, pk)
    checks = Check.objects.select_related("waived_by").order_by("position", "id")
    prefetch_related_objects([hand_off], Prefetch("checks", checks))
    return hand_off


def seat_for(user: User, pk: int) -> Seat:
    """Return the seat, with its use case and person. Raises NotFound."""
    rows = Seat.objects.select_related("use_case", "user", "persona")
    return _one(rows.filter(use_case__in=visible(user)), pk, "seat")


def token_for(user: User, pk: int) -> Token:
    """Return the person's own token, or anybody's for who manages people. Raises NotFound."""
    rows = Token.objects.select_related("user")
    return _one(rows if user.can("users.manage") else rows.filter(user=user), pk, "token")


def runs_of(user: User) -> QuerySet[Run]:
    """Return every run the person may see, without the bodies of the blueprint versions."""
    rows = Run.objects.filter(use_case__in=visible(user))
    return rows.select_related("use_case", "version__blueprint", "created_by").defer(
        "version__body"
    )


def items_of(user: User) -> QuerySet[WorkItem]:
    """Return every work item the person may see."""
    return WorkItem.objects.filter(run__use_case__in=visible(user)).select_related(
        "run__use_case", "stage", "holder", "completed_by"
    )


def gates_of(user: User) -> QuerySet[Gate]:
    """Return every gate the person may see."""
    return Gate.objects.filter(run__use_case__in=visible(user)).select_related(
        "run__use_case", "stage", "closed_by"
    )


def hand_offs_of(user: User) -> QuerySet[HandOff]:
    """Return every hand-off the person may see."""
    return HandOff.objects.filter(run__use_case__in=visible(user)).select_related(
        "run__use_case", "source", "target", "offered_by", "answered_by"
    )


def people_of(user: User) -> QuerySet[User]:
    """Return the people one may give seats to, with their personas: everybody who may sign in."""
    rows = User.objects.prefetch_related("personas")
    return rows if policies.may_manage_users(user) else rows.filter(is_active=True)


def person_for(user: User, pk: int) -> User:
    """Return a person to manage. Raises NotFound, as it does for who manages nobody."""
    rows = User.objects.all()
    return _one(rows if policies.may_manage_users(user) else rows.none(), pk, "person")


def person_named(username: str, *, field: str) -> User:
    """Return the person of this login name. Raises Invalid naming the input field."""
    found = User.objects.filter(username__iexact=username).first()
    if found is None:
        raise Invalid("Nobody has this name.", fields={field: [f"unknown person {username!r}"]})
    return found


def tokens_of(user: User) -> QuerySet[Token]:
    """Return the person's own tokens, or everybody's for who manages people."""
    rows = Token.objects.select_related("user")
    return rows if policies.may_manage_users(user) else rows.filter(user=user)


def blueprints_of(user: User) -> QuerySet[Blueprint]:
    """Return all blueprints with their published number: plans are for all who are signed in."""
    return Blueprint.objects.annotate(
        published=Max("versions__number", filter=Q(versions__state="published"))
    )


def blueprint_for(user: User, key: str) -> Blueprint:
    """Return the blueprint with its versions, newest first, bodies left out. Raises NotFound."""
    versions = BlueprintVersion.objects.select_related("published_by").defer("body")
    found = (
        blueprints_of(user)
        .prefetch_related(Prefetch("versions", versions.order_by("-number")))
        .filter(key=key)
        .first()
    )
    if found is None:
        raise NotFound("blueprint", f"There is no blueprint {key!r}.")
    return found


def version_for(user: User, key: str, number: int) -> BlueprintVersion:
    """Return one version of a blueprint. Raises NotFound."""
    rows = BlueprintVersion.objects.select_related("blueprint", "published_by")
    found = rows.filter(blueprint__key=key, number=number).first()
    if found is None:
        raise NotFound("blueprint_version", f"There is no version {number} of blueprint {key!r}.")
    return found


def version_to_run(use_case: UseCase, key: str) -> BlueprintVersion:
    """Return the published version of the named blueprint, or of the use case's. Raises Invalid."""
    rows = BlueprintVersion.objects.select_related("blueprint").filter(state="published")
    wanted = {"blueprint__key": key} if key else {"blueprint": use_case.blueprint_id}
    found = rows.filter(**wanted).first()
    if found is None:
        rule = f"no published version of {key!r}" if key else "is required: the use case has none"
        raise Invalid("The run cannot be created.", fields={"blueprint": [rule]})
    return found


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


def events_for(user: User, stream: str) -> QuerySet[Event]:
    """Return the events of `kind:key`, newest first; all of them for `read_all` without a stream.

    Raises NotFound for streams the person may not know of, NotAllowed without a stream.
    """
    if not stream:
        policies.require(user, "read_all")
        return Event.objects.select_related("actor", "stream")
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
    if not key.isdigit():
        return False
    seen = visible(user)
    if kind == "run":
        return Run.objects.filter(pk=key, use_case__in=seen).exists()
    if kind == "model":
        return registry.models(user).filter(pk=key).exists()
    return kind == "use_case" and seen.filter(pk=key).exists()


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


def model_for(user: User, name: str) -> Model:
    """Return the model of this name, with its use case and what is deployed. Raises NotFound."""
    found = registry.models(user).filter(name=name).first()
    if found is None:
        raise NotFound("model", f"There is no model {name!r} that you may see.")
    return found


def model_of(use_case: UseCase) -> Model | None:
    """Return the model of a use case that was fetched here, or None."""
    return Model.objects.select_related("use_case").filter(use_case=use_case).first()


def alert_for(user: User, pk: int) -> Alert:
    """Return the alert with its model, runs and people. Raises NotFound."""
    return _one(monitoring.alerts(user), pk, "alert")


def _one(rows: QuerySet[Row], pk: int, noun: str) -> Row:
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound(noun.replace(" ", "_"), f"There is no {noun} {pk} that you may see.")
    return found
