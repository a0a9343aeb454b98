"""The validation report: what was tested, by whom it was judged, what is left open."""

from collections.abc import Mapping
from typing import Final

from pipelines.checks.worries.looking import BLOCKER, WARN
from pipelines.checks.worries.meaning import what_to_do
from pipelines.documents.classes import class_tables
from pipelines.documents.numbers import number_tables
from pipelines.documents.pack import (
    Judgement,
    Pack,
    Review,
    artefact_evidence,
    gate_evidence,
    step_evidence,
)
from pipelines.documents.tree import (
    Block,
    Cell,
    Document,
    Evidence,
    Figure,
    Section,
    Status,
    table,
)
from pipelines.documents.wording import number
from pipelines.documents.writer import GROUPS, Writer, section
from pipelines.readiness.rules.findings import ATTESTED, OPEN, STATED, WEIGHED

ABOUT = (
    "Every check with its value and threshold, stage by stage; who decided and why; what the "
    "approvals rest on; and everything needed to do it again."
)

# What a test's points rest on; all else is computed.
RESTS: Final[Mapping[str, Status]] = {
    ATTESTED: "attested", STATED: "attested", WEIGHED: "attested", OPEN: "missing",
}  # fmt: skip


def build(pack: Pack) -> Document:
    """Return the validation report of the run."""
    writer = Writer(pack)
    sections = [
        _summary(writer),
        *(_stage(writer, part.key, part.title) for part in pack.stages),
        _metrics(writer),
        _readiness(pack),
        _monitoring(writer),
        _again(writer),
    ]
    return writer.document("validation-report", "Validation report", ABOUT, sections)


def _summary(writer: Writer) -> Section:
    pack = writer.pack
    red = [check for check in pack.checks if check.verdict != "pass"]
    evidence = (pack.run_evidence(),)
    figures = [
        Figure("Checks", len(pack.checks), evidence=evidence),
        Figure("Green", len(pack.checks) - len(red), evidence=evidence),
        Figure("Not green, blocking", _count(red, blocking=True), evidence=evidence),
        Figure("Not green, informing", _count(red, blocking=False), evidence=evidence),
        Figure("Waived", sum(bool(c.waived_by) for c in pack.checks), evidence=evidence),
        Figure("Approvals", _approvals(pack), evidence=evidence),
        Figure("Overridden gates", sum(r.overridden for r in pack.reviews), evidence=evidence),
        Figure("Rounds sent back", sum(p.round - 1 for p in pack.stages), evidence=evidence),
    ]
    blocks: list[Block] = writer.figures(*figures)
    blocks += writer.checks(red, "What is not green")
    return section("summary", "Summary", blocks)


def _count(checks: list[Judgement], *, blocking: bool) -> int:
    return sum(check.blocking is blocking for check in checks)


def _approvals(pack: Pack) -> int:
    return sum(r.verdict.startswith("approve") for one in pack.reviews for r in one.rulings)


def _stage(writer: Writer, key: str, title: str) -> Section:
    pack = writer.pack
    checks = [check for check in pack.checks if check.stage == key]
    own = [check for check in checks if check.noun == "gate"]
    contract = [check for check in checks if check.noun != "gate"]
    blocks = writer.checks(own, "Checks of the gate" if contract else "")
    blocks += writer.checks(contract, "The receiver's contract")
    for review in pack.reviews:
        if review.stage == key:
            blocks += _decisions(review)
    return section(f"stage-{key}", title, blocks)


def _decisions(review: Review) -> list[Block]:
    evidence = (gate_evidence(review),)
    blocks: list[Block] = []
    if review.rulings:
        rows = [
            [
                Cell(ruling.who, status="attested", evidence=evidence),
                Cell(", ".join(ruling.personas)),
                Cell(ruling.verdict.replace("_", " ")),
                Cell(ruling.reason),
                Cell(ruling.at[:16].replace("T", " ")),
            ]
            for ruling in review.rulings
        ]
        title = f"Decisions on {review.digest[:12]}" if review.digest else "Decisions"
        blocks.append(table(("Who", "As", "Verdict", "Reason", "When"), rows, title=title))
    if review.findings:
        rows = [[Cell(text, evidence=evidence), Cell(level), Cell(state)]
                for text, level, state in review.findings]  # fmt: skip
        blocks.append(table(("Condition", "Severity", "State"), rows, title="Conditions"))
    return blocks


def _metrics(writer: Writer) -> Section:
    blocks = list(writer.metrics())
    blocks += writer.left_out()
    blocks += class_tables(writer)
    sliced = writer.saying("slices", "worse")
    blocks += writer.listed(sliced, "slices", GROUPS, title="Quality by group")
    blocks += number_tables(writer)
    held = writer.saying("challenger", "primary")
    columns = {"metric": "Metric", "champion": "Champion", "challenger": "Challenger"}
    blocks += writer.listed(held, "metrics", columns, title="Against the champion")
    return section("quality", "Quality", blocks)


def _readiness(pack: Pack) -> Section:
    ready = pack.readiness
    if not ready.sections:
        return section("readiness", "Readiness")
    where = f"/use-cases/{pack.use_case_key}/readiness/"
    evidence = (Evidence("readiness", "Readiness", where),)
    scores = [Cell(f"{number(ready.score)} of 7", numeric=True, status="computed")]
    rows = [[Cell("ML Test Score", evidence=evidence), *scores]]
    rows += [
        [Cell(title, evidence=evidence), Cell(f"{number(points)} of {number(most)}", numeric=True)]
        for title, points, most in ready.sections
    ]
    worried = [
        [
            Cell(f"{key} {title}", evidence=evidence),
            Cell(level),
            Cell(text),
            Cell(what_to_do(key) if level in (WARN, BLOCKER) else ""),
        ]
        for key, title, level, text in ready.worries
    ]
    tests = [
        [
            Cell(f"{key} {title}", evidence=evidence),
            Cell(number(points), numeric=True, status=RESTS.get(basis, "computed")),
            Cell(basis),
            Cell(text),
        ]
        for key, title, points, basis, text in ready.tests
    ]
    signed = [
        [Cell(key, evidence=evidence), Cell(who, status="attested"), Cell(persona), Cell(text),
         Cell(until)]
        for key, persona, who, text, until in ready.signed
    ]  # fmt: skip
    tables = [table(("Section", "Points"), rows)]
    if tests:
        head = ("Test", "Points", "Rests on", "Evidence")
        tables.append(table(head, tests, title="28 tests"))
    if signed:
        columns = ("Test", "Who", "As", "Statement", "Until")
        tables.append(table(columns, signed, title="Statements that stand"))
    return section(
        "readiness",
        "Readiness and worries",
        *tables,
        table(("Worry", "Level", "Found", "What to do"), worried, title="26 worries"),
        lead=ready.band,
    )


def _monitoring(writer: Writer) -> Section:
    moved = writer.saying("alert_list", "columns")
    columns = {"column": "Column", "psi": "PSI", "limit": "Limit", "level": "Level"}
    blocks = writer.listed(moved, "columns", columns, title="Drift of the first window")
    rows = [[Cell(cause.replace("_", " ")), Cell(text), Cell(state.lower())]
            for cause, text, state in writer.pack.alerts]  # fmt: skip
    if rows:
        blocks.append(table(("Cause", "Alert", "State"), rows, title="Alerts"))
    return section("monitoring", "Monitoring", blocks)


def _again(writer: Writer) -> Section:
    pack = writer.pack
    rows = [
        [
            Cell(step.title, evidence=(step_evidence(pack, step),)),
            Cell(step.code),
            Cell(str(step.seed), numeric=True),
            Cell(output.name, evidence=(artefact_evidence(output.name, output),)),
            Cell(output.digest),
        ]
        for step in pack.steps
        for output in step.outputs
    ]
    head = ("Step", "Code", "Seed", "Artefact", "SHA-256")
    lead = f"manage.py reperform {pack.run} computes it again and compares every artefact."
    return section("again", "To do it again", [table(head, rows)] if rows else [], lead=lead)
