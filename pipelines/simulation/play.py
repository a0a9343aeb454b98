"""One run as the simulation plays it: who sits where, what is known of it, what it is to become."""

from dataclasses import dataclass, field
from datetime import datetime

from pipelines.blueprints.spec import Blueprint
from pipelines.simulation.draws import Draw, Draws
from pipelines.simulation.rows import Open
from pipelines.simulation.truth import ReturnTruth, RunTruth, TaskTruth
from pipelines.usecases.models import UseCase


@dataclass
class Play:
    """A run under way, with everything that the simulation remembers of it."""

    use_case: UseCase
    truth: RunTruth
    blueprint: Blueprint
    seats: dict[str, list[str]]
    draws: Draws
    known: set[tuple[str, int]] = field(default_factory=set)
    paused_until: datetime | None = None
    ended: bool = False

    @property
    def run(self) -> int:
        """The run's id."""
        return self.truth.row

    def about(self, *names: object) -> Draw:
        """Return the draws about one thing of this run."""
        return self.draws.about(self.truth.use_case, self.truth.number, *names)

    def task(self, row: Open, noun: str, persona: str, since: datetime, key: str = "") -> TaskTruth:
        """Write down that something waits for a person."""
        made = TaskTruth(
            noun=noun,
            stage=row.stage,
            round=row.round,
            key=key or row.key,
            persona=persona,
            since=since,
            row=row.id,
        )
        self.truth.tasks.append(made)
        return made

    def returned(self, at: datetime, kind: str, source: str, target: str, code: str) -> None:
        """Write down that a stage was sent back."""
        self.truth.returns.append(ReturnTruth(at, kind, source, target, code))
