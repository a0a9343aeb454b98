"""What every builder writes with: each value comes with the evidence that was read for it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from pipelines.documents.cells import check_row, listed_row, number_cell, span
from pipelines.documents.pack import (
    Facts,
    Judgement,
    Pack,
    artefact_evidence,
)
from pipelines.documents.tracing import Traced
from pipelines.documents.tree import (
    Block,
    Cell,
    Document,
    Evidence,
    Figure,
    Figures,
    Section,
    Text,
    table,
)
from pipelines.documents.wording import said, words
from pipelines.runs.queries import brief
from pipelines.runs.queries.facts import number as number_at
from pipelines.runs.queries.facts import saying

NOT_COMPUTED = "No step of this run has computed it."
MOST_ROWS = 40
# The columns of a table of groups; under "low" stands the interval.
GROUPS: Final = {
    "slice": "Group", "rows": "Rows", "value": "Value", "low": "95 %", "verdict": "Verdict",
}  # fmt: skip


class Writer:
    """A pack being read for one document."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self.facts = Traced(pack.facts)
        self.trace = self.facts.trace

    # --- finding ---------------------------------------------------------------------------

    def saying(self, *keys: str) -> Mapping[str, Any]:
        """Return the facts of the last step that says all of these; {} where none does."""
        self.trace.take()
        return saying(self.facts, *keys)

    def evaluated(self) -> Mapping[str, Any]:
        """Return the facts of the evaluation: of the step that evaluates, with named metrics."""
        self.trace.take()
        operations = {step.place: step.operation for step in self.pack.steps}
        found: Mapping[str, Any] = {}
        for place, facts in self.facts.items():
            judges = operations.get(place, "").startswith("evaluate")
            if judges and isinstance(_raw(facts, "metrics"), Mapping):
                found = facts
        return found

    def fewer(self) -> Mapping[str, Any]:
        """Return the facts of the step that left rows out of learning; {} where none did."""
        found = self.saying("sampled", "strata")
        return found if found.get("sampled") or found.get("left_out") else {}

    def left_out(self) -> list[Block]:
        """Return how many rows were left out of learning, and how; nothing where none were."""
        fewer = self.fewer()
        return self.figures(
            self.figure(fewer, "Rows to learn from", "rows_before"),
            self.figure(fewer, "Rows left out of learning", "left_out"),
            self.figure(fewer, "How they were left out", "how"),
        )

    def evidence(self) -> tuple[Evidence, ...]:
        """Return where to look up what was read since the last value."""
        return self._evidence_of(self.trace.take())

    def _evidence_of(self, places: Iterable[str]) -> tuple[Evidence, ...]:
        return tuple(dict.fromkeys(one for place in places for one in self.pack.evidence_of(place)))

    # --- values ----------------------------------------------------------------------------

    def figures(self, *found: Figure | None) -> list[Block]:
        """Return the figures that there are as one block; none where there is none."""
        kept = tuple(figure for figure in found if figure is not None)
        return [Figures(kept)] if kept else []

    def figure(
        self, source: Mapping[str, Any], label: str, *path: str, unit: str = "", note: str = ""
    ) -> Figure | None:
        """Return a number at a path of keys, with its interval where it has one; None without."""
        self.trace.take()
        found: Any = source
        for key in path[:-1]:
            found = found.get(key) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping):
            return None
        value: Any = found.get(path[-1])
        if isinstance(value, Mapping):
            return self._interval(value, label, unit, note)
        if isinstance(value, bool):
            value = said(value)
        if not isinstance(value, int | float | str) or value == "":
            return None
        return Figure(label, value, unit=unit, note=note, evidence=self.evidence())

    def _interval(
        self, found: Mapping[str, Any], label: str, unit: str, note: str
    ) -> Figure | None:
        value = number_at(found, "value")
        if value is None:
            return None
        low, high = number_at(found, "low"), number_at(found, "high")
        return Figure(label, value, low, high, unit, note, evidence=self.evidence())

    def voiced(self, persona: str) -> tuple[Figure, ...]:
        """Return what a persona reads first, each figure with where it was read."""
        made = []
        self.trace.take()
        for one in brief.VOICES[persona](self.facts):
            places = self._needed(one, self.trace.take(), brief.VOICES[persona])
            evidence = self._evidence_of(places)
            attested = bool(evidence) and all(found.kind == "item" for found in evidence)
            made.append(
                Figure(
                    words(one.label) if one.label.islower() else one.label,
                    one.value,
                    one.low,
                    one.high,
                    one.unit,
                    one.note,
                    "attested" if attested else "computed",
                    evidence,
                )
            )
        return tuple(made)

    def spoken(self, persona: str) -> list[tuple[str, tuple[Evidence, ...]]]:
        """Return a persona's sentences, each with where it was read.

        Several may be said of what was read once, before the first of them.
        """

        def again(facts: Facts) -> Iterable[str]:
            return brief.sentences(persona, facts)

        made: list[tuple[str, tuple[Evidence, ...]]] = []
        places: tuple[str, ...] = ()
        self.trace.take()
        for one in brief.sentences(persona, self.facts):
            places = self.trace.take() or places
            made.append((one, self._evidence_of(self._needed(one, places, again))))
        return made

    def _needed(
        self, value: object, places: tuple[str, ...], again: Callable[[Facts], Iterable[object]]
    ) -> tuple[str, ...]:
        """Of the places that were read, those without which the value would not be the same.

        A place may be read on the way and lead to nothing, or be overruled by a later one.
        """
        if len(places) < 2:
            return places
        needed = [place for place in places if value not in list(again(self._without(place)))]
        return tuple(needed) or places

    def _without(self, place: str) -> Facts:
        return {name: facts for name, facts in self.pack.facts.items() if name != place}

    # --- statements ------------------------------------------------------------------------

    def stated(self, key: str, title: str, persona: str) -> Text:
        """Return what a person stated under a key; missing, with who has to, where nobody did."""
        self.trace.take()
        for item in reversed(list(self.pack.items)):
            for field, label, value in item.fields:
                text = said(value)
                if field == key and text:
                    evidence = self.pack.evidence_of(item.place)
                    who = f"{item.who} ({item.persona}), {item.at[:10]}" if item.who else ""
                    return Text(text, title or label, "attested", who, evidence)
        return Text(f"Nobody has stated it; {persona} has to.", title, "missing")

    def computed(self, text: str, title: str = "") -> Text:
        """Return a sentence about what was read since the last value; missing where it is empty."""
        if not text:
            self.trace.take()
            return Text(NOT_COMPUTED, title, "missing")
        return Text(text, title, "computed", evidence=self.evidence())

    # --- tables ----------------------------------------------------------------------------

    def checks(self, checks: Iterable[Judgement], title: str = "") -> list[Block]:
        """Return checks as a table; each row links to the check in its gate or hand-off."""
        rows = [check_row(check) for check in checks]
        head = ("Check", "Verdict", "Value", "Threshold", "What was found")
        return [table(head, rows, title=title)] if rows else []

    def listed(
        self, source: Mapping[str, Any], key: str, columns: Mapping[str, str], *, title: str = ""
    ) -> list[Block]:
        """Return a list of objects in the facts as a table with its evidence."""
        self.trace.take()
        found = source.get(key) if isinstance(source, Mapping) else None
        rows = [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []
        evidence = self.evidence()
        made = [listed_row(row, columns) for row in rows[:MOST_ROWS]]
        if len(rows) > MOST_ROWS:
            title = f"{title} (the first {MOST_ROWS} of {len(rows)})".strip()
        return [table(columns.values(), made, title=title, evidence=evidence)] if made else []

    def metrics(self, title: str = "") -> list[Block]:
        """Return every metric of the evaluation with its interval."""
        found = self.evaluated().get("metrics") or {}
        evidence = self.evidence()
        rows = [
            [
                Cell(words(name), status="computed"),
                number_cell(one.get("value")),
                Cell(span(one)),
            ]
            for name, one in found.items()
            if isinstance(one, Mapping)
        ]
        head = ("Metric", "Value", "95 % interval")
        return [table(head, rows, title=title, evidence=evidence)] if rows else []

    def made(self, names: Iterable[str] | None = None) -> list[Block]:
        """Return the artefacts of the present rounds with their digests, by step."""
        wanted = None if names is None else set(names)
        rows = [
            [
                Cell(step.title),
                Cell(output.name),
                Cell(output.digest[:16], evidence=(artefact_evidence(output.name, output),)),
                Cell(step.code),
            ]
            for step in self.pack.steps
            for output in step.outputs
            if wanted is None or output.name in wanted
        ]
        return [table(("Made by", "Artefact", "Digest", "Code"), rows)] if rows else []

    # --- the whole -------------------------------------------------------------------------

    def document(self, kind: str, title: str, about: str, sections: Iterable[Section]) -> Document:
        """Return the document; sections without any block are left out."""
        pack = self.pack
        return Document(
            kind=kind,
            title=title,
            subject=pack.subject,
            as_of=pack.as_of,
            about=about,
            sections=tuple(section for section in sections if section.blocks),
            evidence=(pack.run_evidence(),),
            meta={
                "Use case": pack.use_case,
                "Run": f"{pack.label}, {pack.state.lower()}",
                "Blueprint": f"{pack.blueprint}, {pack.blueprint_digest[:12]}",
                "As of": pack.as_of,
            },
        )


def section(key: str, title: str, *blocks: Block | list[Block], lead: str = "") -> Section:
    """Return a section; lists of blocks are flattened."""
    flat: list[Block] = []
    for one in blocks:
        flat.extend(one if isinstance(one, list) else [one])
    return Section(key, title, tuple(flat), lead)


def _raw(facts: Mapping[str, Any], key: str) -> Any:
    """A value without it counting as read."""
    return dict.get(facts, key) if isinstance(facts, dict) else facts.get(key)
