"""The pack by somebody else's list: per row what is computed, what is attested, what is missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from pipelines.documents.frameworks import (
    Checked,
    Decided,
    Fact,
    Framework,
    Known,
    Made,
    Outside,
    Part,
    Row,
    Signed,
)
from pipelines.documents.pack import Pack, artefact_evidence, check_evidence, gate_evidence
from pipelines.documents.tree import Cell, Document, Evidence, Figure, Section, Status, table
from pipelines.documents.wording import value_of, words
from pipelines.documents.writer import Writer, section

LONGEST = 160  # characters of a statement in a cell; the whole of it is behind its link


@dataclass(frozen=True)
class Answer:
    """What a part of a row came to."""

    status: Status
    text: str
    evidence: tuple[Evidence, ...] = ()


def build(pack: Pack, framework: Framework) -> Document:
    """Return the pack by a framework's list."""
    writer = Writer(pack)
    answered = [(row, _answers(writer, row)) for row in framework.rows]
    sections = [_summary(framework, answered, pack), _rows(answered)]
    return writer.document(framework.key, framework.title, framework.about, sections)


def answers(pack: Pack, framework: Framework) -> dict[str, tuple[Answer, ...]]:
    """Return what answers each row, by its reference."""
    writer = Writer(pack)
    return {row.ref: _answers(writer, row) for row in framework.rows}


def _answers(writer: Writer, row: Row) -> tuple[Answer, ...]:
    return tuple(_answer(writer, part) for part in row.parts)


Answered = list[tuple[Row, tuple[Answer, ...]]]


def _summary(framework: Framework, answered: Answered, pack: Pack) -> Section:
    evidence = (pack.run_evidence(),)
    whole = sum(all(one.status != "missing" for one in found) for _, found in answered)
    bare = sum(all(one.status == "missing" for one in found) for _, found in answered)
    figures = [
        Figure("Rows", len(answered), evidence=evidence),
        Figure("Answered in full", whole, evidence=evidence),
        Figure("Answered in part", len(answered) - whole - bare, evidence=evidence),
        Figure("Not answered", bare, evidence=evidence),
    ]
    return section("summary", "Summary", Writer(pack).figures(*figures))


def _rows(answered: Answered) -> Section:
    rows = [
        [
            Cell(row.ref),
            Cell(row.asks),
            *(_cell(found, status) for status in ("computed", "attested", "missing")),
        ]
        for row, found in answered
    ]
    head = ("Row", "Asks for", "Computed", "Attested", "Missing")
    return section("rows", "Row by row", table(head, rows))


def _cell(found: tuple[Answer, ...], status: str) -> Cell:
    kept = [one for one in found if one.status == status]
    text = "; ".join(one.text for one in kept)
    evidence = tuple(dict.fromkeys(link for one in kept for link in one.evidence))
    return Cell(text, status=kept[0].status if kept else "", evidence=evidence)


def _answer(writer: Writer, part: Part) -> Answer:
    if isinstance(part, Fact):
        return _fact(writer, part)
    if isinstance(part, Checked):
        return _checked(writer.pack, part)
    if isinstance(part, Made):
        return _made(writer.pack, part)
    if isinstance(part, Known):
        return _known(writer.pack, part)
    if isinstance(part, Signed):
        return _signed(writer, part)
    if isinstance(part, Decided):
        return _decided(writer.pack, part)
    return _missing(part)


def _missing(part: Outside) -> Answer:
    return Answer("missing", f"{part.label} ({part.persona})")


def _fact(writer: Writer, part: Fact) -> Answer:
    figure = writer.figure(writer.saying(*part.keys), part.label, *part.path)
    if figure is None:
        return Answer("missing", part.label)
    return Answer("computed", f"{part.label}: {value_of(figure)}", figure.evidence)


def _checked(pack: Pack, part: Checked) -> Answer:
    check = next((one for one in reversed(list(pack.checks)) if one.name == part.name), None)
    label = words(part.name)
    if check is None:
        return Answer("missing", f"Check: {label}")
    if check.verdict == "insufficient":
        return Answer("missing", f"{label}: not enough to judge", (check_evidence(check),))
    return Answer("computed", f"{label}: {check.verdict}", (check_evidence(check),))


def _made(pack: Pack, part: Made) -> Answer:
    for step in reversed(list(pack.steps)):
        for output in step.outputs:
            if output.name == part.name:
                evidence = artefact_evidence(part.label, output)
                return Answer("computed", f"{part.label} {output.digest[:12]}", (evidence,))
    return Answer("missing", part.label)


def _signed(writer: Writer, part: Signed) -> Answer:
    found = writer.stated(part.key, part.label, part.persona)
    if found.status == "missing":
        return Answer("missing", f"{part.label} ({part.persona})")
    text = found.text if len(found.text) <= LONGEST else found.text[: LONGEST - 1] + "\u2026"
    return Answer("attested", f"{part.label}: {text}", found.evidence)


def _decided(pack: Pack, part: Decided) -> Answer:
    approved = [
        (review, ruling)
        for review in pack.reviews
        for ruling in review.rulings
        if ruling.verdict.startswith("approve") and review.state == "APPROVED"
    ]
    if not approved:
        return Answer("missing", part.label)
    who = ", ".join(dict.fromkeys(ruling.who for _, ruling in approved))
    links = tuple(gate_evidence(review) for review, _ in approved)
    return Answer("attested", f"{part.label}: {who}", tuple(dict.fromkeys(links)))


def _known(pack: Pack, part: Known) -> Answer:
    text, evidence = KNOWN[part.key](pack)
    if not text:
        return Answer("missing", part.label)
    return Answer("computed", f"{part.label}: {text}", evidence)


Found = tuple[str, tuple[Evidence, ...]]


def _versions(pack: Pack) -> Found:
    found = [f"{one.name} v{one.number} ({one.state.lower()})" for one in pack.releases]
    return ", ".join(found), (_model(pack),) if found else ()


def _interface(pack: Pack) -> Found:
    names = list(dict.fromkeys(one.name for one in pack.releases))
    return ", ".join(f"POST /v1/models/{name}/predict" for name in names), (pack.run_evidence(),)


def _blueprint(pack: Pack) -> Found:
    return f"{pack.blueprint}, {pack.blueprint_digest[:12]}", (pack.run_evidence(),)


def _rounds(pack: Pack) -> Found:
    again = [f"{part.title} round {part.round}" for part in pack.stages if part.round > 1]
    return ", ".join(again) or "every stage in its first round", (pack.run_evidence(),)


def _code(pack: Pack) -> Found:
    found = dict.fromkeys(step.code for step in pack.steps)
    return ", ".join(found), (pack.run_evidence(),)


def _owners(pack: Pack) -> Found:
    owned = [f"{part.title}: {part.owner}" for part in pack.stages if part.owner]
    return "; ".join(owned), (pack.run_evidence(),)


def _alerts(pack: Pack) -> Found:
    if not pack.releases:
        return "", ()
    found = [f"{cause.replace('_', ' ')} ({state.lower()})" for cause, _, state in pack.alerts]
    return ", ".join(dict.fromkeys(found)) or "none was raised", (_model(pack),)


def _watches(pack: Pack) -> Found:
    return (", ".join(pack.watches), (pack.use_case_evidence(),)) if pack.watches else ("", ())


def _labels(pack: Pack) -> Found:
    return (f"{pack.labels} labels", (_model(pack),)) if pack.labels else ("", ())


def _findings(pack: Pack) -> Found:
    states = [state for one in pack.reviews for _, _, state in one.findings]
    left = sum(state == "OPEN" for state in states)
    return f"{left} open of {len(states)}", (pack.run_evidence(),)


def _ledger(pack: Pack) -> Found:
    return "hash-chained", (Evidence("ledger", "Ledger", f"/ledger/?stream=run:{pack.run}"),)


def _model(pack: Pack) -> Evidence:
    name = pack.releases[0].name
    return Evidence("model", name, f"/models/{name}/")


KNOWN: Final[Mapping[str, Callable[[Pack], Found]]] = {
    "versions": _versions,
    "interface": _interface,
    "blueprint": _blueprint,
    "rounds": _rounds,
    "code": _code,
    "owners": _owners,
    "alerts": _alerts,
    "watches": _watches,
    "labels": _labels,
    "findings": _findings,
    "ledger": _ledger,
}
