"""The hand-off sheet: at every change of persona, what was given, under which contract."""

from pipelines.documents.pack import Output, Pack, Passing, artefact_evidence
from pipelines.documents.tree import Block, Cell, Document, Evidence, Section, Text, table
from pipelines.documents.wording import said, size, words
from pipelines.documents.writer import Writer, section

ABOUT = (
    "At every change of persona: who gave what to whom, whether the receiver's contract held, what "
    "was said about it, and the digest of everything that passed."
)


def build(pack: Pack) -> Document:
    """Return the hand-off sheet of the run."""
    writer = Writer(pack)
    sections = [_passing(writer, one) for one in pack.passings]
    if not sections:
        none = Text("Nothing has been handed over in this run.", status="missing")
        sections = [section("none", "Hand-offs", none)]
    return writer.document("hand-off-sheet", "Hand-off sheet", ABOUT, sections)


def _passing(writer: Writer, passing: Passing) -> Section:
    title = f"{passing.source} \u2192 {passing.target}"
    here = (Evidence("hand_off", title, f"/hand-offs/{passing.pk}/"),)
    checks = [
        check
        for check in writer.pack.checks
        if check.noun == "hand_off" and check.noun_pk == passing.pk
    ]
    blocks: list[Block] = [_who(passing, here)]
    blocks += writer.checks(checks, "The receiver's contract")
    blocks += _checklist(passing, here)
    if passing.note:
        blocks.append(Text(passing.note, "A word to the receiver", "attested", evidence=here))
    if passing.return_reason:
        blocks.append(Text(passing.return_reason, "Returned because", "attested", evidence=here))
    blocks += _package(passing)
    code = f"{passing.code}: " if passing.code else ""
    return section(f"hand-off-{passing.pk}", f"{code}{title}", blocks)


def _who(passing: Passing, here: tuple[Evidence, ...]) -> Block:
    rows = [
        [Cell("From", evidence=here), Cell(_person(passing.source_persona, passing.offered_by)),
         Cell(_when(passing.offered_at))],
        [Cell("To", evidence=here), Cell(_person(passing.target_persona, passing.answered_by)),
         Cell(_when(passing.answered_at))],
        [Cell("State", evidence=here), Cell(words(passing.state.lower())), Cell("")],
    ]  # fmt: skip
    return table(("", "Who", "When"), rows)


def _person(persona: str, name: str) -> str:
    return f"{persona}: {name}" if name else persona


def _when(at: str) -> str:
    return at[:16].replace("T", " ")


def _checklist(passing: Passing, here: tuple[Evidence, ...]) -> list[Block]:
    rows = []
    for label, value in passing.checklist:
        text = said(value)
        cell = Cell(text or "not answered", status="attested" if text else "missing")
        rows.append([Cell(label, evidence=here), cell])
    return [table(("Point", "Answer"), rows, title="Checklist")] if rows else []


def _package(passing: Passing) -> list[Block]:
    rows = [
        [Cell(words(step)), Cell(output.name, status="computed", evidence=(_of(output),)),
         Cell(output.digest), Cell(size(output.size), numeric=True)]
        for step, output in passing.package
    ]  # fmt: skip
    head = ("Made by", "Artefact", "SHA-256", "Size")
    return [table(head, rows, title="Package")] if rows else []


def _of(output: Output) -> Evidence:
    return artefact_evidence(output.name, output)
