"""What a rule finds, and the two rules that most tests share. Pure.

Full points are for what is automated and repeated: computed by steps (not typed in by people), at
least twice for the use case, in rounds, runs or watches; what came from the cache was not computed
again. Half is for what was computed once, stated, attested, or red but weighed by people.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from pipelines.readiness.evidence import Attested, Evidence, Judged, Source

FULL, HALF, NONE = 1.0, 0.5, 0.0
TWICE: Final = 2  # own: from the second time on it is no single event
# On what points rest, as pages, API and documents say it.
REPEATED, ALWAYS = "automated and repeated", "automated, at every use"
ONCE, STATED, ATTESTED = "computed once", "stated by people", "attested"
WEIGHED, RED, OPEN = "red, weighed by people", "red", "not done"


@dataclass(frozen=True)
class Finding:
    """What the evidence says of a test; `noun` and `pk` name the page that shows it best."""

    points: float
    text: str
    basis: str = OPEN
    noun: str = ""
    pk: int | str = 0
    sources: tuple[Source, ...] = ()
    times: int = 0
    attested: tuple[Attested, ...] = ()

    @property
    def red(self) -> bool:
        """Whether it was computed and came out wrong: no statement helps against that."""
        return self.basis == RED


Rule = Callable[[Evidence], Finding]


def nothing(text: str) -> Finding:
    """Nobody has done this yet."""
    return Finding(NONE, text)


def stated(text: str, evidence: Evidence) -> Finding:
    """People wrote it down in a form of the run, and nothing computes it."""
    return Finding(HALF, text, STATED, "run", evidence.run)


def computed(
    text: str,
    evidence: Evidence,
    *operations: str,
    at: tuple[str, int | str] | None = None,
    more: Sequence[Source] = (),
) -> Finding:
    """It was computed and holds: in full where these operations were computed at least twice."""
    times = evidence.times(*operations)
    noun, pk = at or ("run", evidence.run)
    sources = (*evidence.step(*operations), *more)
    if times >= TWICE:
        return Finding(FULL, f"{text} Computed {times} times.", REPEATED, noun, pk, sources, times)
    told = "Computed once so far." if times else "Taken from the cache: not computed here yet."
    return Finding(HALF, f"{text} {told}", ONCE, noun, pk, sources, times)


def red(text: str, evidence: Evidence, *operations: str) -> Finding:
    """It was computed, and it does not hold."""
    times = evidence.times(*operations)
    return Finding(NONE, text, RED, "run", evidence.run, evidence.step(*operations), times)


def checked(*alternatives: tuple[str, ...], by: tuple[str, ...]) -> Rule:
    """Every check of one alternative (kinds of use cases have their own) is green, and repeated.

    Half where people weighed a red one. The first alternative counts that is there in whole, else
    the first of which anything is there.
    """

    def rule(evidence: Evidence) -> Finding:
        names = chosen(evidence, alternatives)
        found = [evidence.checks[name] for name in names if name in evidence.checks]
        if len(found) < len(names):
            absent = [name for name in names if name not in evidence.checks]
            words = ", ".join(name.replace("_", " ") for name in absent)
            if evidence.elsewhere:
                return nothing(f"Not computed: trained elsewhere ({words}).")
            return nothing(f"Not computed in this run: {words}.")
        bad = [one for one in found if one.verdict != "pass"]
        if bad:
            return _bad(bad, evidence, by)
        text = "; ".join(one.summary for one in found)
        last = found[-1]
        return computed(f"{text}.", evidence, *by, at=(last.noun, last.pk), more=sources_of(found))

    return rule


def chosen(evidence: Evidence, alternatives: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the alternative that the run's kind has."""
    known = evidence.checks
    whole = next((one for one in alternatives if all(name in known for name in one)), None)
    part = next((one for one in alternatives if any(name in known for name in one)), None)
    return whole or part or alternatives[0]


def _bad(bad: Sequence[Judged], evidence: Evidence, by: tuple[str, ...]) -> Finding:
    weighed = all(one.decided for one in bad)
    text = "; ".join(one.summary for one in bad)
    suffix = " Weighed and approved by people." if weighed else ""
    # Too little to judge by is no red result: a statement may stand in for it.
    basis = RED if any(one.verdict == "fail" for one in bad) else OPEN
    return Finding(
        HALF if weighed else NONE,
        f"{text}.{suffix}",
        WEIGHED if weighed else basis,
        bad[0].noun,
        bad[0].pk,
        (*evidence.step(*by), *sources_of(bad)),
        evidence.times(*by),
    )


def sources_of(checks: Sequence[Judged]) -> tuple[Source, ...]:
    """Return checks as evidence to look at."""
    return tuple(Source(one.noun, one.pk, one.name, one.at) for one in checks)
