"""Answer a request: split its rows, score them, note them in the log."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from pipelines.operations.contract import Json
from pipelines.operations.learning.class_names import PREFIX
from pipelines.operations.windows import FALLBACK, MODEL
from pipelines.serving.log import Entry, LogWriter
from pipelines.serving.predict import Line, Problem, RowsError, Served

log = logging.getLogger("baton.serve")

Row = Mapping[str, Json]


@dataclass(frozen=True)
class Asked:
    """A request that was understood: rows with their keys and event times."""

    rows: Sequence[Row]
    keys: Sequence[str]
    event_times: Sequence[datetime | None]
    user: int | None


@dataclass(frozen=True)
class Answered:
    """The answer to one row; `by` is None where the fallback answers.

    `more` holds what the model's kind of answer has beside score and label.
    """

    key: str
    score: float | None
    label: Json
    by: Served | None
    more: Mapping[str, Json] = field(default_factory=dict)

    def value(self, name: str) -> Json:
        """One of the outputs that the signature names."""
        if name in self.more:
            return self.more.get(name)
        shares = self.more.get("probabilities")
        if name.startswith(PREFIX) and isinstance(shares, dict):
            return shares.get(name.removeprefix(PREFIX))
        return self.as_json().get(name)

    def as_json(self) -> dict[str, Json]:
        """The answer as the API gives it: with version, deployment and the gate that approved."""
        by = self.by
        return {
            "key": self.key,
            "score": self.score,
            "label": self.label,
            **self.more,
            "served_by": FALLBACK if by is None else MODEL,
            "mode": FALLBACK if by is None else by.mode,
            "version": by.version if by else None,
            "deployment": by.deployment if by else None,
            "approval": by.approval if by else None,
        }


@dataclass(frozen=True)
class Scored:
    """Scores and labels of some rows; `failed` where the model itself failed.

    `more` has the further outputs of each row; empty where there are none.
    """

    scores: Sequence[float | None]
    labels: Sequence[Json]
    failed: bool = False
    more: Sequence[Mapping[str, Json]] = ()


def answer(line: Line, asked: Asked, writer: LogWriter) -> tuple[UUID, list[Answered]]:
    """Score every row by whoever has to answer it, and note all of it.

    Raises RowsError with every problem by the request's row numbers, Busy where the log is full.
    """
    started = time.perf_counter()
    writer.check_room(2 * len(asked.rows))
    _refuse_strangers(line, asked.rows)
    parts: dict[Served | None, list[int]] = {}
    for index, key in enumerate(asked.keys):
        parts.setdefault(line.pick(key), []).append(index)
    scored = {by: _score(by, asked.rows, places) for by, places in parts.items() if by}
    if line.shadow is not None:
        scored[line.shadow] = _score_unseen(line.shadow, asked.rows)
    answers = _answers(asked, parts, scored)
    request = uuid4()
    seconds = time.perf_counter() - started
    places_of = {by: parts.get(by, list(range(len(asked.rows)))) for by in scored}
    notes = _Notes(line.model.pk, asked, request, seconds)
    writer.add(
        [
            *(row for by, found in scored.items() for row in notes.of(by, places_of[by], found)),
            *notes.of(None, parts.get(None, []), None),
        ]
    )
    return request, answers


def _refuse_strangers(line: Line, rows: Sequence[Row]) -> None:
    """Raise RowsError for columns that no deployed version reads; others are left out for it."""
    known = line.names
    if not known:
        return
    problems = [
        Problem(
            index, name, "extra", None, f"row {index}, column {name!r}: is no input of the model"
        )
        for index, row in enumerate(rows)
        for name in sorted(row.keys() - known)
    ]
    if problems:
        raise RowsError(problems[:100])


def _score(by: Served, rows: Sequence[Row], places: Sequence[int]) -> Scored:
    """Scores of the rows at these places; a failure of the model is noted, not raised."""
    given = _for(by, [rows[place] for place in places])
    try:
        found = by.loaded.predict(given)
    except RowsError as error:
        raise RowsError(
            [_moved(problem, places[problem.row]) for problem in error.problems]
        ) from error
    except (ValueError, TypeError, ArithmeticError, IndexError, KeyError):
        # The rows suit the signature, so this is the model's fault: the fallback answers.
        log.exception("version %s failed on rows that suit it", by.version)
        nothing: list[None] = [None] * len(given)
        return Scored(nothing, nothing, failed=True)
    return Scored(found.scores, found.labels, more=by.loaded.more(found))


def _score_unseen(by: Served, rows: Sequence[Row]) -> Scored:
    """Scores in shadow: rows that do not suit count as failed, since callers must not notice."""
    try:
        return _score(by, rows, range(len(rows)))
    except RowsError:
        nothing: list[None] = [None] * len(rows)
        return Scored(nothing, nothing, failed=True)


def _for(by: Served, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows with only the columns that this version reads (versions may differ in them)."""
    names = set(by.loaded.signature.names)
    if all(row.keys() <= names for row in rows):
        return rows
    return [{name: value for name, value in row.items() if name in names} for row in rows]


def _moved(problem: Problem, row: int) -> Problem:
    """The problem with the row's number in the request."""
    message = problem.message.replace(f"row {problem.row}", f"row {row}", 1)
    return Problem(row, problem.column, problem.rule, problem.value, message)


def _answers(
    asked: Asked, parts: Mapping[Served | None, Sequence[int]], scored: Mapping[Served, Scored]
) -> list[Answered]:
    answers: list[Answered | None] = [None] * len(asked.rows)
    for by, places in parts.items():
        found = scored[by] if by else None
        answered_by = by if found is not None and not found.failed else None
        for place, index in enumerate(places):
            score = found.scores[place] if found is not None else None
            label = found.labels[place] if found is not None else None
            more = found.more[place] if found is not None and found.more else {}
            answers[index] = Answered(asked.keys[index], score, label, answered_by, more)
    return [one for one in answers if one is not None]


@dataclass(frozen=True)
class _Notes:
    """Makes the log's rows of one request."""

    model: int
    asked: Asked
    request: UUID
    seconds: float

    def of(self, by: Served | None, places: Sequence[int], found: Scored | None) -> list[Entry]:
        return [
            Entry(
                model_id=self.model,
                version_id=by.version_id if by else None,
                deployment_id=by.deployment if by else None,
                mode=by.mode if by else FALLBACK,
                served_by=MODEL if by else FALLBACK,
                key=self.asked.keys[index],
                event_time=self.asked.event_times[index],
                inputs=self.asked.rows[index],
                score=found.scores[place] if found else None,
                label=found.labels[place] if found else None,
                failed=found.failed if found else False,
                latency=self.seconds,
                request=self.request,
                asked_by_id=self.asked.user,
                probabilities=_shares(found, place),
            )
            for place, index in enumerate(places)
        ]


def _shares(found: Scored | None, place: int) -> Mapping[str, Json] | None:
    """The probabilities of several classes; None for other models."""
    more = found.more[place] if found and found.more else {}
    shares = more.get("probabilities")
    return shares if isinstance(shares, dict) else None
