"""Checks of models that were trained elsewhere and brought in."""

from __future__ import annotations

from datetime import date, datetime

from pipelines.checks.contract import (
    CheckResult,
    Facts,
    Json,
    Params,
    insufficient,
    item_data,
    judge,
    mapping,
    number,
    rows,
    shown,
    step_facts,
    text,
)
from pipelines.checks.reading import listed

ADMIT, ORIGIN, SPLIT = "tune.admit", "tune.origin", "explore.split"
UNSEEN = "none of them"
REPEATS = ("same answer again", "order of rows", "one row at a time", "clean process")


def signature_holds(facts: Facts, params: Params) -> CheckResult:
    """The model is what was declared of it, and every promise that was tried on rows holds."""
    found = step_facts(facts, params, ADMIT)
    run = number(found, "tests_run")
    if found is None or not run:
        return insufficient("no model was admitted")
    tests = rows(found, "tests")
    broken = [text(test, "test") for test in tests if test.get("passed") is not True]
    what = f"{text(found, 'kind')}, {text(found, 'engine')}"
    summary = (
        f"{len(broken)} of {int(run)} promises broken: {listed(broken)}"
        if broken
        else f"takes and answers what was declared ({what}); all {int(run)} promises hold"
    )
    return CheckResult(
        judge(len(broken), "<=", 0),
        summary,
        value=float(len(broken)),
        threshold=0.0,
        comparison="<=",
        unit="promises",
        details=shown(_details(tests)),
        advice="Correct the model, its declaration or its golden rows where it was trained, and "
        "start another run with the new file." if broken else "",
    )  # fmt: skip


def _details(tests: list[dict[str, Json]]) -> list[dict[str, Json]]:
    """What failed first, then every promise with how far it was off."""
    keys = ("test", "promise", "rows", "largest_difference", "tolerance", "passed")
    broken = [{"test": test.get("test"), **row} for test in tests for row in rows(test, "failures")]
    return broken + [{key: test.get(key) for key in keys} for test in tests]


def scores_repeat(facts: Facts, params: Params) -> CheckResult:
    """Asked again, in another order, alone and in a clean process: the same answer (Infra1).

    Stands in for training again, which a model without its recipe does not allow.
    """
    found = step_facts(facts, params, ADMIT)
    tests = [test for test in rows(found, "tests") if text(test, "test") in REPEATS]
    gaps = [number(test, "largest_difference") for test in tests]
    known = [gap for gap in gaps if gap is not None]
    allowed = number(tests[0], "tolerance") if tests else None
    if len(known) < len(REPEATS) or allowed is None:
        return insufficient("The model was not asked the same in several ways.")
    verdict = judge(max(known), "<=", allowed)
    said = "bitwise equal" if max(known) == 0 else f"different by up to {max(known):.3g}"
    return CheckResult(
        verdict,
        f"Asked again, in another order, alone and in a clean process: answers are {said}.",
        value=max(known), threshold=allowed, comparison="<=", threshold_class="own",
        details=shown(
            {"test": test.get("test"), "largest_difference": test.get("largest_difference")}
            for test in tests
        ),
        advice="" if verdict == "pass" else "Look for layers that normalise over the batch, or "
        "draw random numbers, when they answer.",
    )  # fmt: skip


def golden_rows_brought(facts: Facts, params: Params) -> CheckResult:
    """The rows that came with the model have the scores that came with it, in a clean process."""
    found = step_facts(facts, params, ADMIT)
    told = mapping(found, "golden")
    if not told:
        return insufficient(
            "no golden rows came with the model",
            advice="Bring rows with the scores they had where the model was trained.",
        )
    gap, allowed = number(told, "largest_difference"), number(told, "tolerance")
    if gap is None or allowed is None:
        return insufficient("the golden rows were not compared")
    verdict = judge(gap, "<=", allowed)
    count = int(number(told, "rows") or 0)
    beyond = int(number(told, "beyond") or 0)
    return CheckResult(
        verdict,
        f"{count} rows scored in a clean process, off by at most {gap:.3g}"
        if verdict == "pass"
        else f"{beyond} of {count} golden rows have another score, off by up to {gap:.3g}",
        value=gap, threshold=allowed, comparison="<=", threshold_class="own",
        details=shown(rows(told, "failures")),
        advice="" if verdict == "pass" else "Compare the order of columns, categories and "
        "preparation with where it was trained.",
    )  # fmt: skip


def holdout_unseen(facts: Facts, params: Params) -> CheckResult:
    """Attested: the model saw none of the rows it is judged on; and its dates agree."""
    stated = item_data(facts, params, ORIGIN)
    if not stated:
        return insufficient("nobody has said what the model was trained on")
    answer, until = text(stated, "unseen"), text(stated, "trained_until")
    if answer != UNSEEN:
        return CheckResult(
            "fail",
            f"of the rows it is judged on, the model saw: {answer or 'not said'}",
            advice="Split so that the rows to decide on are later than its training, or train it "
            "again without them: scores on rows that it saw are too good.",
        )
    first = text(mapping(mapping(facts.get(SPLIT), "parts"), "holdout"), "first")
    last, begins = _day(until), _day(first)
    if last is None or begins is None:
        return CheckResult(
            "pass", "attested: it saw none of the rows it is judged on; no dates to compare"
        )
    if last >= begins:
        return CheckResult(
            "fail",
            f"it was trained on data until {last}, and is judged on rows from {begins} on",
            value=float((last - begins).days), threshold=-1.0, comparison="<=", unit="days",
            advice="Let the rows to decide on begin after its training (train_until).",
        )  # fmt: skip
    return CheckResult(
        "pass",
        f"attested, and the dates agree: trained until {last}, judged on rows from {begins} on",
        value=float((last - begins).days), threshold=-1.0, comparison="<=", unit="days",
    )  # fmt: skip


def _day(value: str) -> date | None:
    try:
        return datetime.fromisoformat(value).date() if value else None
    except ValueError:
        return None
