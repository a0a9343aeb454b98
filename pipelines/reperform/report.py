"""What a reperformance found, artefact by artefact. Pure."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Final

EQUAL, WITHIN, DIFFERENT = "equal", "within", "different"
FAILED, NOT_REPEATED = "failed", "not_repeated"
VERDICTS: Final = (EQUAL, WITHIN, DIFFERENT, FAILED, NOT_REPEATED)
WORDS: Final = {
    EQUAL: "bit-equal",
    WITHIN: "within tolerance",
    DIFFERENT: "DIFFERENT",
    FAILED: "FAILED",
    NOT_REPEATED: "not repeated",
}


@dataclass(frozen=True)
class Compared:
    """One artefact (or the facts of a step): its digest, the new one, and the verdict."""

    step: str
    name: str
    verdict: str
    kept: str = ""
    again: str = ""
    largest_share: float = 0.0
    where: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Repeated:
    """One step computed again, with what came of it."""

    place: str
    operation: str
    version: int
    seed: int
    seconds: float
    artefacts: tuple[Compared, ...]


@dataclass
class Report:
    """The reperformance of one run."""

    run: int
    label: str
    use_case: str
    blueprint_digest: str
    tolerance: dict[str, float] = field(default_factory=dict)
    steps: list[Repeated] = field(default_factory=list)

    @property
    def artefacts(self) -> list[Compared]:
        """Everything that was compared, or could not be."""
        return [one for step in self.steps for one in step.artefacts]

    @property
    def counts(self) -> dict[str, int]:
        """How many have each verdict."""
        found = Counter(one.verdict for one in self.artefacts)
        return {verdict: found[verdict] for verdict in VERDICTS}

    @property
    def holds(self) -> bool:
        """Whether something was compared, and nothing was different or failed."""
        found = self.counts
        return found[EQUAL] + found[WITHIN] > 0 and not found[DIFFERENT] + found[FAILED]

    def as_json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {**asdict(self), "counts": self.counts, "holds": self.holds}
