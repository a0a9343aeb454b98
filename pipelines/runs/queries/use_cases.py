"""One use case with its runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from personas.models import User
from pipelines.lifecycles import RUN
from pipelines.runs.models import Run
from pipelines.runs.queries.baton import Baton, Holder, baton_of, fetch_rows
from pipelines.runs.queries.clock import now
from pipelines.runs.queries.track import Track, track_of
from pipelines.usecases.models import Seat, UseCase

MOST_RUNS = 30


def _not_begun(use_case: UseCase) -> str:
    if use_case.draft:
        return f"A draft of {use_case.created_by}; no run has been started."
    return "No run has been started."


def _track(run: Run, time: datetime) -> Track:
    return track_of(run, run.all_stages, run.all_hand_offs, now=time)  # type: ignore[attr-defined]


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
