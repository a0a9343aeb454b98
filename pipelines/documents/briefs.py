"""The decision brief in seven voices: the same evidence, said to each persona."""

from collections.abc import Iterator

from personas.people import BY_CODE
from pipelines.checks.worries.looking import BLOCKER, WARN
from pipelines.checks.worries.meaning import meaning, what_to_do
from pipelines.documents.pack import Pack, check_evidence, gate_evidence
from pipelines.documents.tree import (
    Block,
    Cell,
    Document,
    Evidence,
    Figures,
    Section,
    Text,
    table,
)
from pipelines.documents.writer import Writer, section
from pipelines.runs.queries import brief

ABOUT = (
    "What each of the seven personas can judge, from the same evidence. Each figure says where it "
    "was read."
)
VOICES = tuple(brief.VOICES)


def build(pack: Pack, *, voice: str = "") -> Document:
    """Return the brief in all seven voices, or in one."""
    writer = Writer(pack)
    voices = (voice,) if voice in VOICES else VOICES
    sections = [_standing(writer), *(_voice(writer, persona) for persona in voices)]
    title = "Decision brief"
    if voice in VOICES:
        title = f"Decision brief for the {BY_CODE[voice].title}"
    return writer.document("decision-brief", title, ABOUT, sections)


def _standing(writer: Writer) -> Section:
    """What is decided and what is not: the same for everybody."""
    pack = writer.pack
    blocks: list[Block] = [writer.stated("question", "Asked", "BA")]
    blocks += [Text(text, title, "attested", evidence=found) for title, text, found in _said(pack)]
    red = [check for check in pack.checks if check.verdict != "pass"]
    names = ", ".join(f"{check.title} ({check.verdict})" for check in red)
    text = f"Not green: {names}." if red else "Every check is green."
    evidence = tuple(check_evidence(check) for check in red)
    status = "computed" if pack.checks else "missing"
    if not pack.checks:
        text = "No check has been judged yet."
    blocks.append(Text(text, "Checks", status, evidence=evidence or (pack.run_evidence(),)))  # type: ignore[arg-type]
    return section("standing", "How it stands", blocks)


def _said(pack: Pack) -> Iterator[tuple[str, str, tuple[Evidence, ...]]]:
    for review in pack.reviews:
        for ruling in review.rulings:
            verdict = ruling.verdict.replace("_", " ")
            because = f": {ruling.reason}" if ruling.reason else ""
            text = f"{ruling.who} ({', '.join(ruling.personas)}): {verdict}{because}"
            yield f"Review of {review.stage}", text, (gate_evidence(review),)


def _voice(writer: Writer, persona: str) -> Section:
    known = BY_CODE[persona]
    lead = f"{brief.lead(persona)}. Cares for {known.cares_for}."
    blocks: list[Block] = []
    writer.trace.take()
    blocks += [
        Text(text, status="computed", evidence=evidence)
        for text, evidence in writer.spoken(persona)
        if not text.startswith("Asked: ")
    ]
    figures = writer.voiced(persona)
    blocks += [Figures(figures)] if figures else [writer.computed("")]
    blocks += _worried(writer.pack, persona)
    return section(f"voice-{persona.lower()}", known.title, blocks, lead=lead)


def _worried(pack: Pack, persona: str) -> list[Block]:
    """The worries that came true, in the persona's words; none where none did."""
    where = f"/use-cases/{pack.use_case_key}/readiness/"
    rows = [
        [
            Cell(
                f"{key} {title}", evidence=(Evidence("readiness", "Readiness", f"{where}#{key}"),)
            ),
            Cell(level),
            Cell(meaning(key)[persona]),
            Cell(what_to_do(key)),
        ]
        for key, title, level, _ in pack.readiness.worries
        if level in (WARN, BLOCKER)
    ]
    columns = ("Worry", "Level", "What it means", "What to do")
    return [table(columns, rows, title="Worries that came true")] if rows else []
