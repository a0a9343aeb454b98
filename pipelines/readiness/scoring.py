"""Points of the 28 tests: 1 computed on each run, 0.5 stated or weighed by people. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.readiness.catalogue import SECTIONS, TESTS, TestDef, band
from pipelines.readiness.evidence import Evidence

FULL, HALF, NONE = 1.0, 0.5, 0.0


@dataclass(frozen=True)
class Finding:
    """What the evidence says of a test; `noun` and `pk` name the page that shows it."""

    points: float
    text: str
    noun: str = ""
    pk: int | str = 0


@dataclass(frozen=True)
class TestResult:
    """One test with its points, the evidence for them, and what would earn the point next."""

    test: TestDef
    finding: Finding

    @property
    def next(self) -> str:
        """What would earn the point; "" where it is earned."""
        return "" if self.finding.points == FULL else self.test.earns


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

    @property
    def easiest(self) -> TestResult | None:
        """The next test to automate: one that lacks least, in the weakest section."""
        weakest = min(self.sections, key=lambda section: section.points).key
        open_ones = [r for r in self.tests if r.test.section == weakest and r.next]
        return max(open_ones, key=lambda result: result.finding.points, default=None)


def score(evidence: Evidence) -> Score:
    """Return the score that the evidence earns."""
    results = tuple(TestResult(test, RULES[test.id](evidence)) for test in TESTS)
    sections = tuple(
        Section(
            key,
            title,
            sum(r.finding.points for r in results if r.test.section == key),
            sum(r.test.section == key for r in results),
        )
        for key, title in SECTIONS.items()
    )
    least = min(section.points for section in sections)
    return Score(least, band(least), sections, results)


Rule = Callable[[Evidence], Finding]


def checked(*names: str) -> Rule:
    """A point where every one of these checks is green; half where people weighed a red one."""

    def rule(evidence: Evidence) -> Finding:
        found = [evidence.checks[name] for name in names if name in evidence.checks]
        if len(found) < len(names):
            absent = [name for name in names if name not in evidence.checks]
            words = ", ".join(name.replace("_", " ") for name in absent)
            if evidence.elsewhere:
                return Finding(NONE, f"Not computed: trained elsewhere ({words}).")
            return Finding(NONE, f"Not computed in this run: {words}.")
        bad = [one for one in found if one.verdict != "pass"]
        if not bad:
            last = found[-1]
            return Finding(FULL, "; ".join(one.summary for one in found), last.noun, last.pk)
        weighed = all(one.decided for one in bad)
        text = "; ".join(one.summary for one in bad)
        suffix = " Weighed and approved by people." if weighed else ""
        return Finding(HALF if weighed else NONE, f"{text}.{suffix}", bad[0].noun, bad[0].pk)

    return rule


def _cost(evidence: Evidence) -> Finding:
    """Data3: the time per feature is measured; what a source costs has to be declared."""
    built = evidence.fact("columns_used", "columns")
    timed = [c for c in built.get("columns", []) if "per_1000_rows_seconds" in c]
    if not timed:
        return Finding(NONE, "No time per feature was measured.")
    slowest = max(timed, key=lambda column: column["per_1000_rows_seconds"])
    milliseconds = slowest["per_1000_rows_seconds"] * 1000
    text = (
        f"Slowest of {len(timed)} features: {slowest['column']}, {milliseconds:.2f} ms per 1,000"
        " rows. No cost of a source was declared."
    )
    return Finding(HALF, text, "run", evidence.run)


def _requirements(evidence: Evidence) -> Finding:
    """Data4: declared rights, and features only from what is allowed and there in time."""
    return _with_statement(
        checked("availability_declared", "features_available")(evidence), evidence, "rights"
    )


def _privacy(evidence: Evidence) -> Finding:
    """Data5: every suspected column decided on, and a retention stated."""
    return _with_statement(checked("pii_resolved")(evidence), evidence, "retention")


def _with_statement(found: Finding, evidence: Evidence, key: str) -> Finding:
    said = evidence.said(key)
    if found.points == FULL and not said:
        return Finding(HALF, f"{found.text} Nobody stated: {key}.", found.noun, found.pk)
    if said:
        text = f"{found.text.rstrip('.')}; {key}: {said}"
        return Finding(found.points, text, found.noun, found.pk)
    return found


def _feature_change(evidence: Evidence) -> Finding:
    """Data6: from the last change of features to the next evaluation."""
    if evidence.feature_change is None:
        return Finding(NONE, "No features have been changed and evaluated again yet.")
    minutes = evidence.feature_change / 60
    text = f"The last change of features was evaluated {minutes:,.1f} minutes later."
    return Finding(FULL, text, "run", evidence.run)


def _reviewed(evidence: Evidence) -> Finding:
    """Model1: the plan has a digest, and others than the author approved what it made."""
    if not evidence.blueprint:
        return Finding(NONE, "There is no run yet.")
    if not evidence.reviewers:
        return Finding(
            HALF, f"Versioned as {evidence.blueprint}; nobody has approved an evaluation."
        )
    text = f"{evidence.blueprint}; approved by {', '.join(evidence.reviewers)}, not its author."
    return Finding(FULL, text, "gate", evidence.review)


def _correlates(evidence: Evidence) -> Finding:
    """Model2: five releases are needed for a correlation; the KPI may be reported before."""
    kpi = evidence.said("kpi_now")
    comment = evidence.said("comment")
    if comment and evidence.releases:
        text = f"The KPI was reported after release: {kpi} ({evidence.releases} of 5 releases)."
        return Finding(HALF, text, "run", evidence.run)
    return Finding(NONE, f"{evidence.releases} of 5 releases with a reported KPI.")


def _stale_curve(evidence: Evidence) -> Finding:
    """Model4: a curve of score by age."""
    found = evidence.fact("half_life_days")
    if not found:
        return Finding(NONE, "Nobody knows how fast it ages.")
    days = found["half_life_days"]
    none = f"No decay is shown within {found.get('oldest_days')} days."
    text = f"Half-life {days} days." if days is not None else none
    return Finding(FULL, text, "run", evidence.run)


def _inclusion(evidence: Evidence) -> Finding:
    """Model7: computed rates by group, else a statement of who could be harmed."""
    compared = evidence.checks.get("selection_rates_equal")
    if compared is not None and compared.verdict != "insufficient":
        return checked("selection_rates_equal")(evidence)
    ethics = evidence.said("ethics")
    if ethics:
        return Finding(HALF, f"Stated: {ethics}", "run", evidence.run)
    return Finding(NONE, "Nobody stated who could be harmed.")


def _spec_tested(evidence: Evidence) -> Finding:
    """Infra2: whether training converged is known; no step trains on a tiny sample."""
    if evidence.elsewhere:
        return Finding(NONE, "Not computed: trained elsewhere, so nobody here saw it converge.")
    trained = evidence.fact("converged", "family")
    if not trained:
        return Finding(NONE, "Nothing has been trained yet.")
    found = "converged" if trained.get("converged") else "did not converge"
    return Finding(HALF, f"Training {found}; no test on a tiny sample.", "run", evidence.run)


def _debuggable(evidence: Evidence) -> Finding:
    """Infra5: contributions of the worst errors are kept."""
    explained = evidence.fact("worst_errors", "importance")
    count = explained.get("worst_errors")
    if not count:
        return Finding(NONE, "No single prediction has been explained.")
    text = f"The {count} worst errors are kept with the contribution of each column."
    return Finding(FULL, text, "run", evidence.run)


def _rollback(evidence: Evidence) -> Finding:
    """Infra7: a real rollback on record, or a drill that was measured; half for a reported one."""
    if evidence.rolled_back:
        return Finding(
            FULL, f"Rolled back for real: {evidence.rolled_back}.", "model", evidence.model
        )
    if "rollback_drilled" in evidence.checks:
        return checked("rollback_drilled")(evidence)
    found = checked("rollback_ready")(evidence)
    if found.points == FULL:
        return Finding(HALF, f"{found.text} (a reported drill)", found.noun, found.pk)
    return found


def _invariants(evidence: Evidence) -> Finding:
    """Mon2: the signature judges every live input; before it is live, rows of the source."""
    found = checked("schema_matches_serving")(evidence)
    if found.points < FULL:
        return found
    if evidence.live:
        text = f"{evidence.live} answers; each input is held against its signature. {found.text}"
        return Finding(FULL, text, "model", evidence.model)
    return Finding(HALF, f"{found.text} Nothing is live yet.", found.noun, found.pk)


def _no_skew(evidence: Evidence) -> Finding:
    """Mon3: rows of the source along the serving path."""
    tried = evidence.fact("skew_rows", "rows")
    if not tried:
        return Finding(NONE, "No rows have been sent along the serving path.")
    skewed, rows = int(tried["skew_rows"]), int(tried["rows"])
    text = f"{skewed} of {rows:,} rows score differently when served."
    return Finding(FULL if skewed == 0 else NONE, text, "run", evidence.run)


def _not_stale(evidence: Evidence) -> Finding:
    """Mon4: the age of what is live against the half-life."""
    aged = evidence.fact("half_life_days")
    if aged and evidence.live:
        days = aged["half_life_days"]
        known = f"half-life {days} days" if days is not None else "no decay was shown"
        text = f"{evidence.live}: {known}; how old it is now was not held against it."
        return Finding(HALF, text, "model", evidence.model)
    drift = evidence.fact("alert_list", "columns")
    if evidence.live and drift:
        text = f"{evidence.live}; {drift.get('alerts')} columns moved. No half-life is known."
        return Finding(HALF, text, "model", evidence.model)
    missing = "no window of its answers was measured" if evidence.live else "nothing is live"
    return Finding(NONE, f"No half-life is known, and {missing}.")


def _stable(evidence: Evidence) -> Finding:
    """Mon5: no failed or missing score in a window; bad rows refused."""
    window = evidence.fact("unscored", "failed", "n")
    if window:
        bad = int(window["unscored"]) + int(window["failed"])
        text = f"{bad} of {int(window['n']):,} answers failed or had no score ({window['mode']})."
        return Finding(FULL if bad == 0 else NONE, text, "run", evidence.run)
    found = checked("bad_input_refused")(evidence)
    if found.points == FULL:
        return Finding(HALF, f"{found.text} No window was measured yet.", found.noun, found.pk)
    return found


def _quality(evidence: Evidence) -> Finding:
    """Mon7: the metric on labelled answers."""
    if "quality_holds" in evidence.checks:
        return checked("quality_holds")(evidence)
    if evidence.labels:
        return Finding(
            HALF, f"{evidence.labels:,} labels; no window judged.", "model", evidence.model
        )
    return Finding(NONE, "No label has come back yet.")


RULES: Final[Mapping[str, Rule]] = {
    "Data1": checked("contract_signed", "schema_holds"),
    "Data2": checked("features_beneficial"),
    "Data3": _cost,
    "Data4": _requirements,
    "Data5": _privacy,
    "Data6": _feature_change,
    "Data7": checked("feature_tests"),
    "Model1": _reviewed,
    "Model2": _correlates,
    "Model3": checked("search_logged"),
    "Model4": _stale_curve,
    "Model5": checked("three_families", "beats_baseline"),
    "Model6": checked("slices_hold"),
    "Model7": _inclusion,
    "Infra1": checked("reproducible"),
    "Infra2": _spec_tested,
    "Infra3": checked("loads_in_clean_environment", "golden_rows_equal"),
    "Infra4": checked("target_met", "champion_beaten"),
    "Infra5": _debuggable,
    "Infra6": checked("canary_enough", "canary_agrees"),
    "Infra7": _rollback,
    "Mon1": checked("environment_locked"),
    "Mon2": _invariants,
    "Mon3": _no_skew,
    "Mon4": _not_stale,
    "Mon5": _stable,
    "Mon6": checked("latency_within_slo"),
    "Mon7": _quality,
}
