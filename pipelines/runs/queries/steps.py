"""Steps as people follow them: progress, speed, what went wrong and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from personas.errors import DomainError
from pipelines.blueprints.spec import StageDef, StepDef
from pipelines.confinement import missing
from pipelines.lifecycles import AttemptState
from pipelines.runs.models import Attempt, Step
from pipelines.runs.policies import Hat
from pipelines.runs.presence import Offers
from pipelines.runs.queries import rights


@dataclass(frozen=True)
class StepView:
    """A step with its last attempt. `cached_from` is the attempt that really computed it."""

    step: Step
    title: str
    last: Attempt | None
    attempts: int
    cached_from: Attempt | None
    reads: tuple[str, ...]
    outputs: Mapping[str, Any]
    retry: DomainError | None
    lacks: str = ""  # why nobody alive takes it while it is queued

    @property
    def took(self) -> timedelta | None:
        """How long the last attempt took."""
        last = self.last
        if last is None or last.started_at is None or last.finished_at is None:
            return None
        return last.finished_at - last.started_at

    @property
    def rows_per_second(self) -> float | None:
        """How fast it goes, once that can be told."""
        last = self.last
        if last is None or not last.progress_rows or not last.progress_at or not last.started_at:
            return None
        seconds = (last.progress_at - last.started_at).total_seconds()
        return last.progress_rows / seconds if seconds > 0.2 else None

    @property
    def package(self) -> Mapping[str, Any]:
        """Whose code it is, where a package brought the operation."""
        return self.last.package if self.last is not None else {}

    @property
    def not_enforced(self) -> list[str]:
        """What nothing held the code of a package to, on the machine that computed it."""
        computed = self.cached_from or self.last
        said = computed.usage.get("enforced") if computed is not None else None
        return missing(said) if said else []

    @property
    def error(self) -> Mapping[str, Any]:
        """What went wrong in the last attempt; {} where nothing did."""
        return self.last.error if self.last is not None else {}


def step_view(
    definition: StageDef,
    step: Step,
    attempts: Sequence[Attempt],
    *,
    hat: Hat,
    offers: Offers | None = None,
) -> StepView:
    """Return a step as it is shown; `attempts` in order, with what they were cached from.

    `offers` of the living workers say why a queued one waits.
    """
    own = _definition(definition, step.key)
    last = attempts[-1] if attempts else None
    result = next((attempt for attempt in attempts if attempt.pk == step.result_id), None)
    return StepView(
        step=step,
        title=own.title if own else step.key,
        last=last,
        attempts=len(attempts),
        cached_from=result.cached_from if result is not None else None,
        reads=_reads(own),
        outputs=result.outputs if result is not None else {},
        retry=rights.not_retrying(hat, step),
        lacks=_lacks(last, offers),
    )


def _lacks(last: Attempt | None, offers: Offers | None) -> str:
    if last is None or offers is None or last.state != AttemptState.QUEUED:
        return ""
    return offers.lacks(last.queue, last.operation)


def _definition(stage: StageDef, key: str) -> StepDef | None:
    return next((step for step in stage.all_steps() if step.key == key), None)


def _reads(definition: StepDef | None) -> tuple[str, ...]:
    if definition is None:
        return ()
    return tuple(ref.text for refs in definition.inputs.values() for ref in refs)
