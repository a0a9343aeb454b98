"""The next best test to automate: what raises the final score most, at least effort. Pure.

The final score is the minimum of the sections, so only the weakest sections count; where several
are equally weak, one test in each is needed. Within a section the test comes first whose gain per
effort is largest; of equals, the one that gains more, then the catalogue's order.

Effort (own, in steps of what people have to do): 1 where the same has to be computed once more; 2
where people have to declare or report something, or bring a red result up; 3 where it was never
done. A signature is no automation: who may give one meanwhile, for half a point, is named beside.
"""

from dataclasses import dataclass
from typing import Final

from pipelines.readiness.rules.findings import FULL, HALF, RED, WEIGHED
from pipelines.readiness.scoring import Score, TestResult

AGAIN, DECLARE, DO = "compute it again", "declare, report or mend", "do it"
EFFORT: Final = {AGAIN: 1, DECLARE: 2, DO: 3}


@dataclass(frozen=True)
class Advice:
    """A test to work on next: what to do, and what it brings; who does it is the test's persona."""

    result: TestResult
    gain: float
    kind: str

    @property
    def signers(self) -> tuple[str, ...]:
        """Who may sign for half a point meanwhile; empty where that would bring nothing."""
        finding, test = self.result.finding, self.result.test
        if finding.points or finding.red:
            return ()
        return tuple(code for code in test.signers if code not in self.result.signed_by)

    @property
    def effort(self) -> int:
        """1 to 3."""
        return EFFORT[self.kind]

    @property
    def worth(self) -> float:
        """Gain per effort."""
        return self.gain / self.effort


def advice(found: Score) -> tuple[Advice, ...]:
    """Return the best test of each of the weakest sections; empty where nothing lacks in one."""
    least = min(section.points for section in found.sections)
    weakest = [section.key for section in found.sections if section.points == least]
    best = []
    for key in weakest:
        open_ones = [of(r) for r in found.tests if r.test.section == key and r.next]
        if open_ones:
            best.append(max(open_ones, key=lambda one: (one.worth, one.gain)))
    return tuple(best)


def of(result: TestResult) -> Advice:
    """Return what would bring a test that lacks something forward."""
    lacks = FULL - result.finding.points
    if result.only_again:
        return Advice(result, lacks, AGAIN)
    begun = result.finding.points == HALF or result.finding.basis in (RED, WEIGHED)
    return Advice(result, lacks, DECLARE if begun else DO)


def after(found: Score, followed: tuple[Advice, ...]) -> float:
    """Return the final score once all of this advice is followed."""
    gains = {one.result.test.section: one.gain for one in followed}
    return min(section.points + gains.get(section.key, 0.0) for section in found.sections)
