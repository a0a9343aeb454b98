"""People as colleagues see them, and the map of their expertise with the hand-offs between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce

from personas.models import BatonNow, Persona, User
from personas.profiles import point_of
from pipelines.lifecycles import HandOffState
from pipelines.runs.models import HandOff
from pipelines.usecases.models import Delegation, Seat, UseCase
from pipelines.usecases.policies import under_way

MOST: Final = 50  # rows of a page
MOST_POINTS: Final = 200  # people drawn on the map; more would be a cloud that nobody reads
LATELY: Final = timedelta(days=90)


@dataclass(frozen=True)
class Wanted:
    """Which people: by a word of the name, a persona, away now; after this person's row."""

    word: str = ""
    persona: str = ""
    after: int | None = None
    away: bool = False


@dataclass(frozen=True)
class Deputy:
    """Who acts for somebody as a persona, in every use case or in one that the reader sees."""

    person: User
    persona: str
    use_case: UseCase | None


@dataclass(frozen=True)
class PersonRow:
    """A person with open seats (of use cases the reader sees), absence and deputies."""

    person: User
    personas: tuple[str, ...]
    seats: int
    away_until: datetime | None
    deputies: tuple[Deputy, ...]


@dataclass(frozen=True)
class People:
    """A page of people; `after` is where the next one begins."""

    rows: tuple[PersonRow, ...]
    after: int | None
    personas: tuple[Persona, ...]


def people(seen: QuerySet[User], use_cases: QuerySet[UseCase], wanted: Wanted) -> People:
    """Return a page of the people that are `seen`; five queries, one more after the first page."""
    seen_here = Q(use_case=None) | Q(use_case__in=use_cases)
    away = under_way().filter(seen_here, giver=OuterRef("pk"))
    rows = seen.filter(is_service=False).order_by("name", "id")
    if wanted.word:
        word = wanted.word
        rows = rows.filter(Q(name__icontains=word) | Q(username__icontains=word))
    if wanted.persona:
        rows = rows.filter(personas=wanted.persona)
    if wanted.away:
        rows = rows.filter(Exists(away))
    if wanted.after is not None:
        rows = _after(rows, wanted.after)
    seats = (
        Seat.objects.filter(user=OuterRef("pk"), until=None, use_case__in=use_cases)
        .order_by()
        .values("user")
        .annotate(n=Count("pk"))
        .values("n")
    )
    found = list(rows.annotate(open_seats=Coalesce(Subquery(seats), 0))[: MOST + 1])
    shown = found[:MOST]
    absent = _absences(shown, use_cases)
    return People(
        rows=tuple(_row(person, absent.get(person.pk, [])) for person in shown),
        after=shown[-1].pk if len(found) > MOST else None,
        personas=tuple(Persona.objects.all()),
    )


def _after(rows: QuerySet[User], pk: int) -> QuerySet[User]:
    """Return the rows behind a person's; all where there is no such person."""
    name = User.objects.filter(pk=pk).values_list("name", flat=True).first()
    if name is None:
        return rows
    return rows.filter(Q(name__gt=name) | Q(name=name, pk__gt=pk))


def _absences(shown: Sequence[User], use_cases: QuerySet[UseCase]) -> dict[int, list[Delegation]]:
    """Return what is under way now, by giver: of every use case, or of those the reader sees."""
    rows = under_way().filter(giver__in=[person.pk for person in shown])
    rows = rows.filter(Q(use_case=None) | Q(use_case__in=use_cases))
    found: dict[int, list[Delegation]] = {}
    for one in rows.select_related("deputy", "use_case").order_by("-until", "id"):
        found.setdefault(one.giver_id, []).append(one)
    return found


def _row(person: Any, absences: Sequence[Delegation]) -> PersonRow:
    return PersonRow(
        person=person,
        personas=tuple(persona.code for persona in person.personas.all()),
        seats=person.open_seats,
        away_until=absences[0].until if absences else None,
        deputies=tuple(
            Deputy(one.deputy, one.persona_id, one.use_case)
            for one in absences
            if one.deputy is not None and one.persona_id is not None
        ),
    )


@dataclass(frozen=True)
class Passing:
    """Hand-offs between two personas that people answered lately: how many, how long they waited.

    `wait` is the median from offer to answer on the wall's clock.
    """

    giver: str
    receiver: str
    count: int
    returned: int
    wait: timedelta


@dataclass(frozen=True)
class Point:
    """Where a person stands (points on either axis)."""

    person: User
    persona: str
    ml: int
    deployment: int
    mine: bool


@dataclass(frozen=True)
class PersonaMap:
    """The personas with their ranges, how many people they have, who says otherwise, hand-offs."""

    personas: tuple[Persona, ...]
    people: dict[str, int]
    points: tuple[Point, ...]
    passings: tuple[Passing, ...]
    days: int = LATELY.days
    clipped: bool = False


class Median(Aggregate):
    """The middle of a group's lengths of time."""

    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


def passings(use_cases: QuerySet[UseCase]) -> tuple[Passing, ...]:
    """Return the hand-offs of these use cases by giver and receiver; one query.

    Only those that a person answered: what accepts itself waits for nobody.
    """
    rows = (
        HandOff.objects.filter(
            answered_at__gt=BatonNow() - LATELY,
            answered_by__isnull=False,
            offered_at__isnull=False,
            state__in=(HandOffState.ACCEPTED, HandOffState.RETURNED),
            run__use_case__in=use_cases,
        )
        .order_by()
        .values_list("source__persona_id", "target__persona_id")
        .annotate(
            n=Count("pk"),
            returned=Count("pk", filter=Q(state=HandOffState.RETURNED)),
            wait=Median(F("answered_at") - F("offered_at")),
        )
        .order_by("source__persona_id", "target__persona_id")
    )
    return tuple(Passing(*row) for row in rows)


def persona_map(seen: QuerySet[User], use_cases: QuerySet[UseCase], user: User) -> PersonaMap:
    """Return the map for `user`, with the people that are `seen`; five queries."""
    own = Q(ml_point__isnull=False) | Q(deployment_point__isnull=False) | Q(pk=user.pk)
    rows = seen.filter(own, is_service=False).order_by("name", "id")
    drawn = list(rows[: MOST_POINTS + 1])
    points = (_point(person, user) for person in drawn[:MOST_POINTS])
    counts = (
        User.personas.through.objects.filter(user__in=seen.filter(is_service=False).order_by())
        .values_list("persona_id")
        .annotate(n=Count("user_id"))
    )
    return PersonaMap(
        personas=tuple(Persona.objects.all()),
        people=dict(counts),
        points=tuple(point for point in points if point is not None),
        passings=passings(use_cases),
        clipped=len(drawn) > MOST_POINTS,
    )


def _point(person: User, reader: User) -> Point | None:
    """Return where the person stands; None for who says nothing and has no persona."""
    personas = list(person.personas.all())
    ml, deployment = (point_of(person, personas, axis) for axis in ("ml", "deployment"))
    if ml is None or deployment is None:
        return None
    code = personas[0].code if personas else ""
    return Point(person, code, ml, deployment, person.pk == reader.pk)
