"""The ML Test Score: points of the 28 tests, and the minimum over four sections. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipelines.readiness.catalogue import SECTIONS, band
from pipelines.readiness.evidence import Attested, Evidence
from pipelines.readiness.rules import RULES, Finding
from pipelines.readiness.rules.findings import ATTESTED, FULL, HALF, ONCE, REPEATED
from pipelines.readiness.testdefs import TESTS, TestDef

AGAIN = (
    "Compute it once more: another round, run or watch does so by itself; from the second time on"
    " it counts in full."
)


@dataclass(frozen=True)
class TestResult:
    """One test with its points, the evidence for them, and what would earn the point next."""

    test: TestDef
    finding: Finding

    @property
    def next(self) -> str:
        """What would earn the point; "" where it is earned."""
        if self.finding.points == FULL:
            return ""
        return AGAIN if self.only_again else self.test.earns

    @property
    def only_again(self) -> bool:
        """Whether all that lacks is a second time."""
        finding = self.finding
        return finding.basis == ONCE and bool(self.test.repeats) and finding.times < 2

    @property
    def signed_by(self) -> tuple[str, ...]:
        """Return the personas whose statement stands."""
        return tuple(one.persona for one in self.finding.attested)


@dataclass(frozen=True)
class Section:
    """One of the four sections; the weakest sets the score."""

    key: str
    title: str
    points: float
    most: int


@dataclass(frozen=True)
class Score:
    """The ML Test Score: the minimum over its sections."""

    score: float
    band: str
    sections: tuple[Section, ...]
    tests: tuple[TestResult, ...]


def score(evidence: Evidence) -> Score:
    """Return the score that the evidence earns."""
    results = tuple(TestResult(test, judge(test, evidence)) for test in TESTS)
    sections = sections_of({result.test.id: result.finding.points for result in results})
    least = min(section.points for section in sections)
    return Score(least, band(least), sections, results)


def sections_of(points: Mapping[str, float]) -> tuple[Section, ...]:
    """Return the sections that points by test make; a test that is not named has none."""
    return tuple(
        Section(
            key,
            title,
            sum(points.get(test.id, 0.0) for test in TESTS if test.section == key),
            sum(test.section == key for test in TESTS),
        )
        for key, title in SECTIONS.items()
    )


def judge(test: TestDef, evidence: Evidence) -> Finding:
    """Return what the evidence says of a test, with the statements that stand.

    A statement of everybody whom the test names is worth half a point where nothing was computed;
    it never outweighs what was computed and is red.
    """
    found = RULES[test.id](evidence)
    signed = evidence.attested.get(test.id, ())
    if not signed:
        return found
    found = replace(found, attested=signed)
    lacking = set(test.signers) - {one.persona for one in signed}
    if lacking or found.points or found.red:
        return found
    return replace(found, points=HALF, basis=ATTESTED, text=f"{_words(signed)} {found.text}")


def _words(signed: tuple[Attested, ...]) -> str:
    return " ".join(f"{one.who} ({one.persona}) signed: {one.statement}" for one in signed)


__all__ = ["REPEATED", "Score", "Section", "TestResult", "judge", "score", "sections_of"]
