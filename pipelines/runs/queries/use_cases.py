"""Use cases as people look for them: the portfolio, and one use case with its runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from personas.models import User
from pipelines.lifecycles import RUN, StageState
from pipelines.runs.models import Run, Stage
from pipelines.runs.queries.baton import Baton, Holder, baton_of, fetch_rows
from pipelines.runs.queries.clock import now
from pipelines.runs.queries.track import Track, track_of
from pipelines.usecases.models import Seat, UseCase
from pipelines.usecases.policies import visible

PER_PAGE = 25
MOST_RUNS = 30
LONGEST_SEARCH = 100
BEGUN = (StageState.ACTIVE, StageState.IN_REVIEW, StageState.FAILED, StageState.READY)
FILTERS = {
    "": "all",
    "open": "under way",
    "new": "not started",
    "over": "finished",
}


@dataclass(frozen=True)
class Wanted:
    """What a person looks for."""

    search: str = ""
    state: str = ""
    persona: str = ""
    page: int = 1


@dataclass(frozen=True)
class UseCaseLine:
    """One use case of the portfolio with its latest run."""

    use_case: UseCase
    run: Run | None
    baton: Baton
    track: Track | None


@dataclass(frozen=True)
class Portfolio:
    """One page of use cases, as of `now`."""

    now: datetime
    page: Page  # type: ignore[type-arg]
    lines: list[UseCaseLine]


def portfolio(user: User, wanted: Wanted) -> Portfolio:
    """Return the use cases the person may see and looks for; at most twelve queries."""
    page = Paginator(_found(user, wanted), PER_PAGE).get_page(wanted.page)
    use_cases = _whole(list(page.object_list))
    ids = [use_case.latest for use_case in use_cases if use_case.latest]  # type: ignore[attr-defined]
    runs = list(Run.objects.filter(pk__in=ids).select_related("version", "use_case"))
    fetch_rows(runs)
    time = now()
    by_use_case = {run.use_case_id: run for run in runs}
    lines = [_line(use_case, by_use_case.get(use_case.pk), time) for use_case in use_cases]
    return Portfolio(time, page, lines)


def _line(use_case: UseCase, run: Run | None, time: datetime) -> UseCaseLine:
    if run is None:
        return UseCaseLine(use_case, None, Baton(over=_not_begun(use_case)), None)
    return UseCaseLine(use_case, run, baton_of(run), _track(run, time))


def _not_begun(use_case: UseCase) -> str:
    if use_case.draft:
        return f"A draft of {use_case.created_by}; no run has been started."
    return "No run has been started."


def _track(run: Run, time: datetime) -> Track:
    return track_of(run, run.all_stages, run.all_hand_offs, now=time)  # type: ignore[attr-defined]


def _latest_runs() -> QuerySet[Run]:
    return Run.objects.filter(use_case=OuterRef("pk"), kind="main").order_by("-number")


def _whole(ids: Sequence[int]) -> list[UseCase]:
    """Return the use cases of a page in its order, each with the id of its latest run."""
    rows = UseCase.objects.select_related("created_by").annotate(
        latest=Subquery(_latest_runs().values("pk")[:1])
    )
    by_id = rows.in_bulk(ids)
    return [by_id[pk] for pk in ids if pk in by_id]


def _found(user: User, wanted: Wanted) -> QuerySet[UseCase, int]:
    latest = _latest_runs()
    # Only ids leave this: what a line shows is read for those of the page alone.
    rows = (
        visible(user)
        .annotate(
            latest_state=Subquery(latest.values("state")[:1]),
            moved_at=Subquery(latest.values("moved_at")[:1]),
        )
        .order_by(F("moved_at").desc(nulls_last=True), "-created_at", "-pk")
    )
    search = wanted.search[:LONGEST_SEARCH].strip()
    if search:
        rows = rows.filter(
            Q(title__icontains=search) | Q(question__icontains=search) | Q(key__icontains=search)
        )
    if wanted.state == "open":
        rows = rows.filter(latest_state__in=RUN.open)
    elif wanted.state == "new":
        rows = rows.filter(Q(latest_state=None) | Q(latest_state="PENDING"))
    elif wanted.state == "over":
        rows = rows.filter(latest_state__in=RUN.terminal)
    if wanted.persona:
        here = Stage.objects.filter(
            run__use_case=OuterRef("pk"),
            run__state__in=RUN.open,
            current=True,
            persona=wanted.persona,
            state__in=BEGUN,
        )
        rows = rows.filter(Exists(here))
    return rows.values_list("pk", flat=True)


@dataclass(frozen=True)
class UseCaseView:
    """One use case: its seats, its runs, and the relay of the run that is looked at."""

    now: datetime
    use_case: UseCase
    seats: list[Seat]
    runs: list[Run]
    shown: Run | None
    baton: Baton
    track: Track | None

    @property
    def under_way(self) -> bool:
        """Whether a main run is open."""
        return any(run.kind == "main" and run.state in RUN.open for run in self.runs)

    def who(self, holder: Holder) -> list[str]:
        """Return the names of those who can act where the baton has no holder of its own."""
        return list(
            dict.fromkeys(
                str(seat.user)
                for seat in self.seats
                if seat.persona_id in holder.personas and seat.user_id not in holder.barred
            )
        )

    def held_by(self, user: User) -> list[str]:
        """Return the personas that the person holds here."""
        return [seat.persona_id for seat in self.seats if seat.user_id == user.pk]


def use_case_view(use_case: UseCase, *, run_id: int | None = None) -> UseCaseView:
    """Return what the use case's page shows; ten queries. An unknown run means the latest."""
    seats = list(use_case.seats.filter(until=None).select_related("user", "persona"))
    runs = list(
        use_case.runs.select_related("version__blueprint", "created_by").order_by("-created_at")[
            :MOST_RUNS
        ]
    )
    shown = next((run for run in runs if run.pk == run_id), None) or _latest(runs)
    time = now()
    if shown is None:
        return UseCaseView(
            time, use_case, seats, runs, None, Baton(over=_not_begun(use_case)), None
        )
    shown.use_case = use_case
    fetch_rows([shown])
    return UseCaseView(time, use_case, seats, runs, shown, baton_of(shown), _track(shown, time))


def _latest(runs: Sequence[Run]) -> Run | None:
    """The open main run that moved last, else the latest main run, else any."""
    open_runs = [run for run in runs if run.kind == "main" and run.state in RUN.open]
    main = [run for run in runs if run.kind == "main"]
    return next(iter(open_runs or main or runs), None)
