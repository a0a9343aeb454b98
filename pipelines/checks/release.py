"""Checks of what is packaged, registered and deployed (S6 to S8)."""

from collections.abc import Mapping

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    insufficient,
    item_data,
    judge,
    limit,
    names,
    number,
    passed,
    rows,
    shown,
    step_facts,
    text,
)

PACKAGE = "operationalise.package"
RETRAIN = "operationalise.retrain"
LOAD_TEST = "operationalise.load_test"
COMPARE = "register.compare"
CARD = "register.card"
RUNBOOK = "deploy.runbook"

REQUIRED_ENTRIES = (
    "manifest.json", "model.skops", "signature.json", "samples.json", "golden.json",
    "environment.json",
)  # fmt: skip
TOLERANCE = 1e-12  # sums of linear models may differ in the last bit (meas)
LATENCY_MS = 100.0  # where the brief says nothing (own)
MAX_MIB = 200.0  # size of a package (own)
MAX_MEMORY_MIB = 1024.0  # peak of a process that serves it (own)
ROLLBACK_MINUTES = 15.0  # catalogue 6.3 (own)
LICENCES = ("CC0-1.0", "CC-BY-4.0", "MIT", "BSD-3-Clause", "Apache-2.0", "proprietary")


def reproducible(facts: Facts, params: Params) -> CheckResult:
    """Trained again in a clean process, the candidate gives bitwise equal scores (Infra1)."""
    found = step_facts(facts, params, RETRAIN)
    if found is None or found.get("recipe") is False:
        return insufficient("The model has not been trained again from its recipe.")
    gap = number(found, "largest_difference")
    if gap is None:
        return insufficient("No difference was measured.")
    allowed = limit(params, "tolerance", 0.0)
    verdict = judge(gap, "<=", allowed)
    said = "bitwise equal" if gap == 0 else f"different by up to {gap:.3g}"
    count = int(number(found, "rows") or 0)
    return CheckResult(
        verdict,
        f"Trained again in a clean process: scores of {count:,} rows are {said}.",
        value=gap, threshold=allowed, comparison="<=", threshold_class="meas",
        advice="" if verdict == "pass" else "Look for unseeded randomness or threads that race.",
    )  # fmt: skip


def environment_locked(facts: Facts, params: Params) -> CheckResult:
    """Every package that scores depend on has the version of the lock file."""
    found = step_facts(facts, params, RETRAIN) or step_facts(facts, {}, PACKAGE)
    environment = found.get("environment") if found else None
    if not isinstance(environment, dict) or environment.get("lock_sha256") is None:
        return insufficient("There is no lock file to compare the environment with.")
    return _none_of(
        rows(environment, "deviations"),
        good="Every package that scores depend on is installed as locked.",
        bad="packages deviate from the lock file",
        advice="Install from the lock file and package again.",
    )


def package_complete(facts: Facts, params: Params) -> CheckResult:
    """The package holds model, signature, samples, golden rows and environment."""
    found = step_facts(facts, params, PACKAGE)
    if found is None:
        return insufficient("Nothing has been packaged.")
    held = names(found, "entries")
    absent: list[dict[str, Json]] = [{"lacks": e} for e in REQUIRED_ENTRIES if e not in held]
    if not number(found, "golden_rows"):
        absent.append({"lacks": "golden rows"})
    return _none_of(
        absent,
        good=f"The package holds all {len(REQUIRED_ENTRIES)} parts.",
        bad="parts are missing in the package",
        advice="Run the packaging step again.",
    )


def loads_in_clean_environment(facts: Facts, params: Params) -> CheckResult:
    """The package loads in a clean process with the versions it was packaged with (H4)."""
    found = step_facts(facts, params, LOAD_TEST)
    if found is None:
        return insufficient("The package has not been loaded in a clean process.")
    if found.get("loads") is not True:
        return CheckResult("fail", f"It does not load: {text(found, 'message', 'no reason')}")
    return _none_of(
        rows(found, "environment_differences"),
        good="It loads in a clean process, with the versions it was packaged with.",
        bad="versions differ from those it was packaged with",
        advice="Package again in this environment, or install the packaged versions.",
    )


def schema_matches_serving(facts: Facts, params: Params) -> CheckResult:
    """Rows from the source suit the signature and score alike in both paths (H5, Mon3)."""
    found = step_facts(facts, params, LOAD_TEST)
    if found is None or found.get("loads") is not True:
        return insufficient("No rows have been sent to a loaded package.")
    problems: list[dict[str, Json]] = [
        {"problem": text} for text in names(found, "schema_problems")
    ]
    skew = number(found, "skew_rows")
    if skew:
        problems.append({"problem": f"{skew:.0f} rows score differently when served"})
    sent = int(number(found, "rows") or 0)
    if not problems and not sent:
        return insufficient("No rows have been sent to a loaded package.")
    return _none_of(
        problems,
        good=f"{sent:,} rows from the source suit the signature and score alike when served.",
        bad="differences between the source and the serving path",
        advice="Compare the feature definition with what the source delivers.",
    )


def golden_rows_equal(facts: Facts, params: Params) -> CheckResult:
    """Scores of the golden rows come out as they were packaged."""
    gap = number(step_facts(facts, params, LOAD_TEST), "golden_difference")
    if gap is None:
        return insufficient("The golden rows have not been scored.")
    allowed = limit(params, "tolerance", TOLERANCE)
    verdict = judge(gap, "<=", allowed)
    return CheckResult(
        verdict,
        "The golden rows score as packaged." if verdict == "pass" else "Golden rows score anew.",
        value=gap, threshold=allowed, comparison="<=", threshold_class="meas",
    )  # fmt: skip


def bad_input_refused(facts: Facts, params: Params) -> CheckResult:
    """Rows that do not suit are refused with row, column and rule (H5)."""
    tried = rows(step_facts(facts, params, LOAD_TEST), "bad_input")
    if not tried:
        return insufficient("No bad rows have been tried.")
    return _none_of(
        [row for row in tried if row.get("refused") is not True],
        good=f"All {len(tried)} bad rows were refused, each naming its column and rule.",
        bad="bad rows were not refused as they should be",
        advice="Tighten the signature.",
    )


def latency_within_slo(facts: Facts, params: Params) -> CheckResult:
    """95 of 100 answers come within the limit, in milliseconds (`limit_ms`)."""
    seconds = number(step_facts(facts, params, LOAD_TEST), "p95_seconds")
    if seconds is None:
        return insufficient("No answer has been timed.")
    allowed = limit(params, "limit_ms", LATENCY_MS)
    spent = 1000 * seconds
    verdict = judge(spent, "<=", allowed)
    return CheckResult(
        verdict,
        f"95 of 100 answers take at most {spent:.3g} ms; {allowed:g} ms are allowed.",
        value=spent, threshold=allowed, comparison="<=", unit="ms",
    )  # fmt: skip


def size_within_limit(facts: Facts, params: Params) -> CheckResult:
    """The package is small enough to be moved, and a process that serves it stays small."""
    found = step_facts(facts, params, LOAD_TEST)
    size, memory = number(found, "bytes"), number(found, "memory_mib")
    if size is None or memory is None:
        return insufficient("Size and memory have not been measured.")
    allowed, room = (
        limit(params, "max_mib", MAX_MIB),
        limit(params, "max_memory_mib", MAX_MEMORY_MIB),
    )
    mib = size / 2**20
    fits = mib <= allowed and memory <= room
    return CheckResult(
        "pass" if fits else "fail",
        f"{mib:.2f} MiB as a file ({allowed:g} allowed), {memory:g} MiB served ({room:g} allowed).",
        value=mib, threshold=allowed, comparison="<=", unit="MiB",
    )  # fmt: skip


def champion_beaten(facts: Facts, params: Params) -> CheckResult:
    """Better than the champion on the primary metric, no worse by 1 SE on others (Infra4)."""
    found = step_facts(facts, params, COMPARE)
    if found is None:
        return insufficient("Challenger and champion have not been compared.")
    if found.get("champion") is None:
        return passed("A first release: there is no champion; the baseline was beaten earlier.")
    compared = rows(found, "metrics")
    primary = text(found, "primary")
    first = next((row for row in compared if row.get("metric") == primary), None)
    gain = number(first, "gain")
    if first is None or gain is None:
        return insufficient(f"The metric {primary} was not compared.")
    worse = [row for row in compared if row.get("not_worse") is False]
    bad = gain <= 0 or bool(worse)
    said = f"{primary}: {gain:+.4f} against the champion"
    if worse:
        said += f"; worse by more than 1 SE on {', '.join(str(row['metric']) for row in worse)}"
    return CheckResult(
        "fail" if bad else "pass", f"{said}.", value=gain, low=number(first, "low"),
        high=number(first, "high"), threshold=0.0, comparison=">=", threshold_class="conv",
        details=shown(compared), previous=number(first, "champion"),
    )  # fmt: skip


def card_complete(facts: Facts, params: Params) -> CheckResult:
    """Every field of the model card is filled in."""
    found = step_facts(facts, params, CARD)
    if found is None:
        return insufficient("No model card has been written.")
    absent: list[dict[str, Json]] = [{"field": name} for name in names(found, "missing")]
    filled = int(number(found, "filled") or 0)
    return _none_of(
        absent,
        good=f"All {filled} fields of the model card are filled in.",
        bad="fields of the model card are empty",
        advice="Fill them in and write the card again.",
    )


def licence_ok(facts: Facts, params: Params) -> CheckResult:
    """The licence of model and data is stated and one of those allowed."""
    found = step_facts(facts, params, CARD)
    if found is None:
        return insufficient("No model card has been written.")
    licence = text(found, "licence")
    allowed = names(params, "allowed") or list(LICENCES)
    if not licence:
        return CheckResult("fail", "No licence is stated.", advice="State one in the card's form.")
    if licence in allowed:
        return passed(f"Licence: {licence}.")
    return CheckResult(
        "fail", f"{licence} is not among the allowed licences.",
        details=shown({"allowed": name} for name in allowed),
    )  # fmt: skip


def rollback_named(facts: Facts, params: Params) -> CheckResult:
    """It is written down how to roll back (`item`, `field`)."""
    return _filled(facts, params, "rollback_command", "how to roll back")


def rollback_ready(facts: Facts, params: Params) -> CheckResult:
    """The way back was tried and is quick enough, in minutes (Infra7)."""
    found = item_data(facts, params, RUNBOOK)
    minutes = number(found, text(params, "field", "rollback_minutes"))
    if minutes is None:
        return insufficient("No rollback drill is on record.", advice="Do one and write it down.")
    allowed = limit(params, "max_minutes", ROLLBACK_MINUTES)
    return CheckResult(
        judge(minutes, "<=", allowed),
        f"As stated, the rollback drill took {minutes:g} min; {allowed:g} min are allowed.",
        value=minutes, threshold=allowed, comparison="<=", unit="min",
    )  # fmt: skip


def alert_routes_set(facts: Facts, params: Params) -> CheckResult:
    """It is written down who is told of an alert (`item`, `field`)."""
    return _filled(facts, params, "alert_route", "who is told of an alert")


def _filled(facts: Facts, params: Params, default: str, what: str) -> CheckResult:
    found = item_data(facts, params, RUNBOOK)
    if found is None:
        return insufficient(f"It is not written down yet {what}.")
    said = text(found, text(params, "field", default)).strip()
    if not said:
        return CheckResult("fail", f"It is not written down {what}.")
    return CheckResult("pass", f"Written down {what}: {said[:120]}")


def _none_of(
    found: list[dict[str, Json]] | list[Mapping[str, Json]], *, good: str, bad: str, advice: str
) -> CheckResult:
    """Passes where nothing was found; else counts and lists it."""
    count = len(found)
    if not count:
        return CheckResult("pass", good, value=0, threshold=0, comparison="<=")
    return CheckResult(
        "fail", f"{count} {bad}.", value=float(count), threshold=0, comparison="<=",
        details=shown(dict(row) for row in found), advice=advice,
    )  # fmt: skip
