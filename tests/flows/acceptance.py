"""The experts' questions (`docs/acceptance`), each looked up in a run over the REST API."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.blueprints.shipped import shipped
from pipelines.blueprints.spec import StageDef
from portal.demo.desk import Desk

FOLDER = Path(__file__).resolve().parents[2] / "docs/acceptance"
LISTS = ("statistician", "ml-engineer", "auditor")
KINDS = {
    "tabular-classification": "classification",
    "tabular-regression": "regression",
    "forecasting": "forecasting",
    "clustering": "clustering",
    "anomaly-detection": "anomalies",
    "text-classification": "texts",
}
ROW = re.compile(r"^\| ([SMA]\d+) \| (.+?) \| (.+?) \| (.*?) ?\|$")
TERM = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Question:
    """A question, and what has to be there: all of several lists of equals."""

    number: str
    text: str
    answers: tuple[tuple[str, ...], ...]
    spared: frozenset[str]


def questions() -> Iterator[Question]:
    """Every row of the three lists."""
    for name in LISTS:
        for line in (FOLDER / f"{name}.md").read_text().splitlines():
            if found := ROW.match(line):
                number, text, answers, spared = found.groups()
                yield Question(number, text, tuple(_answers(answers)), _spared(spared))


def _answers(cell: str) -> Iterator[tuple[str, ...]]:
    """`a`, `b` or `c`; `d` is: a, and b or c, and d."""
    for part in re.split(r"[,;] ", cell):
        if terms := tuple(TERM.findall(part)):
            yield terms


def _spared(cell: str) -> frozenset[str]:
    return frozenset(kind for kind in KINDS.values() if kind in cell.partition(":")[0].split(", "))


@dataclass
class Answers:
    """One run, as a person who may read everything sees it."""

    desk: Desk
    run: int

    @cached_property
    def about(self) -> dict[str, Any]:
        """The run itself."""
        return dict(self.desk.get(f"runs/{self.run}"))

    @cached_property
    def later(self) -> list[StageDef]:
        """The stages that are not begun."""
        waiting = {one["key"] for one in self.rows("stages") if one["state"] == "PENDING"}
        return [stage for stage in shipped(self.blueprint).stages if stage.key in waiting]

    @property
    def blueprint(self) -> str:
        """What it follows."""
        return str(self.about["blueprint"])

    @cached_property
    def steps(self) -> list[dict[str, Any]]:
        """Its steps, the latest round last."""
        return sorted(self.rows("steps"), key=lambda step: int(step["id"]))

    @cached_property
    def forms(self) -> dict[str, Mapping[str, Any]]:
        """What people filled in, by stage and item."""
        found = {}
        for item in self.rows("items"):
            if item["state"] == "COMPLETED":
                full = self.desk.get(f"items/{item['id']}")
                found[f"{item['stage_key']}.{item['key']}"] = full["data"] or {}
        return found

    @cached_property
    def checks(self) -> dict[str, dict[str, Any]]:
        """The verdicts, by name."""
        return {check["name"]: check for check in self.rows("checks")}

    def rows(self, noun: str) -> list[dict[str, Any]]:
        """Everything of a kind that the run has."""
        return list(self.desk.all(f"runs/{self.run}/{noun}"))

    def unanswered(self) -> list[str]:
        """What is missing: question, and the terms that lead nowhere."""
        kind = KINDS[self.blueprint]
        return [
            f"{question.number} {question.text}: none of {', '.join(terms)}"
            for question in questions()
            if kind not in question.spared
            for terms in question.answers
            if not any(self.holds(term) for term in terms)
        ]

    def holds(self, term: str) -> bool:
        """Whether a term leads to something that is said."""
        word, _, rest = term.partition(" ")
        if not rest:
            operation, _, fact = term.partition(".")
            return self._fact(operation, fact)
        if word == "check":
            return self._check(rest)
        if word == "form":
            return self._form(*rest.rsplit(".", 1))
        noun, _, part = rest.partition(": ")
        return self._document(noun, part) if word == "document" else self._record(noun, part)

    def _fact(self, operation: str, fact: str) -> bool:
        done = [step for step in self.steps if step["operation"] == operation and step["facts"]]
        if not done:
            return any(operation == step.operation for st in self.later for step in st.all_steps())
        return fact in done[-1]["facts"]

    def _check(self, name: str) -> bool:
        if name not in self.checks:
            return any(name in checks_of(stage) for stage in self.later)
        return bool(self.checks[name]["result"]["summary"])

    def _form(self, place: str, field: str) -> bool:
        if place not in self.forms:
            return any(place.partition(".")[0] == stage.key for stage in self.later)
        return self.forms[place].get(field) not in (None, "", [], {})

    def _document(self, kind: str, chapter: str) -> bool:
        document = self.desk.get(f"runs/{self.run}/documents/{kind}")
        chapters = {one["title"]: one for one in document["sections"]}
        return bool(chapters) if chapter == "*" else bool(chapters.get(chapter, {}).get("blocks"))

    def _record(self, noun: str, field: str) -> bool:
        rows = self._rows_of(noun)
        return bool(rows) and all(field in row for row in rows)

    def _rows_of(self, noun: str) -> list[dict[str, Any]]:
        if noun == "lineage":
            return [dict(self.desk.get(f"runs/{self.run}/lineage"))]
        if noun == "ledger":
            return list(self.desk.all("ledger", stream=f"run:{self.run}"))
        if noun == "decisions":
            decided = [gate for gate in self.rows("gates") if gate["state"] == "APPROVED"]
            return [
                row for gate in decided for row in self.desk.all(f"gates/{gate['id']}/decisions")
            ]
        if noun == "versions":
            return list(self.desk.all(f"models/{self.about['use_case']['key']}/versions"))
        return self.rows(noun)


def checks_of(stage: StageDef) -> set[str]:
    """Every check that a stage's gate and contract hold."""
    held = [*(stage.gate.checks if stage.gate else ())]
    held += stage.hand_off.contract if stage.hand_off else ()
    return {check.name for check in held}
