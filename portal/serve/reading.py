"""Bodies of the two protocols as rows: plain JSON rows, and the Open Inference Protocol (v2)."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from personas.errors import Invalid
from pipelines.serving.answer import Answered, Asked
from pipelines.serving.predict import Output
from portal.serve.problems import HttpError

MAX_ROWS = 5000
MAX_KEY = 120
MAX_PROBLEMS = 50
MAX_DIGITS = 18  # of a whole number: fits 64 bits
V1_FIELDS = frozenset({"rows", "keys", "event_times"})
DATATYPES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL"}


def parse(body: bytes) -> dict[str, Any]:
    """The body as an object. Raises HttpError 400."""
    if b"\\u0000" in body:
        raise HttpError(400, "malformed", "The body holds U+0000, which no text may contain.")
    try:
        found = json.loads(body, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)
        if b"\\ud" in body.lower():  # half of a pair would be no text that can be stored
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as problem:
        raise HttpError(400, "malformed", f"The body is no JSON: {problem}") from problem
    if not isinstance(found, dict):
        raise HttpError(400, "malformed", "The body is JSON, but no object.")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number; use null for a missing value")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large a number")
    return value


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"{text[:40]} is too large a number")
    return int(text)


def read_rows(data: Mapping[str, Any], *, user: int | None) -> Asked:
    """A request with `rows`, and optionally `keys` and `event_times`. Raises Invalid."""
    problems: dict[str, list[str]] = {
        str(name): [f"is no field of a request; known: {', '.join(sorted(V1_FIELDS))}"]
        for name in data.keys() - V1_FIELDS
    }
    rows = data.get("rows")
    if not isinstance(rows, list) or not 0 < len(rows) <= MAX_ROWS:
        got = f"{len(rows):,} rows" if isinstance(rows, list) else type(rows).__name__
        problems["rows"] = [f"must be a list of 1 to {MAX_ROWS:,} objects, got {got}"]
        raise Invalid("The request cannot be read.", fields=problems)
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            problems[f"rows.{index}"] = [f"must be an object of column: value, got {row!r:.80}"]
        if len(problems) >= MAX_PROBLEMS:
            break
    keys = _keys(data.get("keys"), len(rows), problems)
    times = _times(data.get("event_times"), len(rows), problems)
    if problems:
        raise Invalid("The request cannot be read.", fields=problems)
    return Asked(rows, keys, times, user)


def _keys(given: object, count: int, problems: dict[str, list[str]]) -> list[str]:
    """The caller's names of the rows; made up where there are none."""
    if given is None:
        request = uuid4().hex
        return [f"{request}-{index}" for index in range(count)]
    if not _as_long(given, count, "keys", problems):
        return []
    keys = []
    for index, key in enumerate(given if isinstance(given, list) else []):
        text = str(key) if isinstance(key, str | int) and not isinstance(key, bool) else ""
        if not 0 < len(text) <= MAX_KEY and len(problems) < MAX_PROBLEMS:
            problems[f"keys.{index}"] = [
                f"must be a text of 1 to {MAX_KEY} characters, got {key!r:.80}"
            ]
        keys.append(text)
    return keys


def _times(given: object, count: int, problems: dict[str, list[str]]) -> Sequence[datetime | None]:
    """When the predicted things happen; a time without an offset is UTC."""
    if given is None:
        return [None] * count
    if not _as_long(given, count, "event_times", problems):
        return []
    times: list[datetime | None] = []
    for index, value in enumerate(given if isinstance(given, list) else []):
        moment = _time(value)
        if value is not None and moment is None and len(problems) < MAX_PROBLEMS:
            problems[f"event_times.{index}"] = [f"must be a time in ISO 8601, got {value!r:.80}"]
        times.append(moment)
    return times


def _as_long(given: object, count: int, name: str, problems: dict[str, list[str]]) -> bool:
    if isinstance(given, list) and len(given) == count:
        return True
    got = f"{len(given)}" if isinstance(given, list) else type(given).__name__
    problems[name] = [f"must be a list as long as rows ({count}), got {got}"]
    return False


def _time(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_tensors(data: Mapping[str, Any], *, user: int | None) -> Asked:
    """An Open Inference request: one tensor per column; keys and times in `parameters`."""
    inputs = data.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise Invalid(
            "The request cannot be read.", fields={"inputs": ["must be a list of tensors"]}
        )
    problems: dict[str, list[str]] = {}
    columns: dict[str, list[Any]] = {}
    for index, tensor in enumerate(inputs):
        name = tensor.get("name") if isinstance(tensor, dict) else None
        values = tensor.get("data") if isinstance(tensor, dict) else None
        if not isinstance(name, str) or not isinstance(values, list):
            problems[f"inputs.{index}"] = ["must have a name and a list of data"]
        elif name in columns:
            problems[f"inputs.{index}.name"] = [f"{name!r} is given twice"]
        else:
            columns[name] = values
            problems |= _shape(index, tensor, len(values))
    if len({len(values) for values in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(values)}" for name, values in columns.items())
        problems["inputs"] = [f"must all have as many values; got {lengths}"]
    if problems:
        raise Invalid("The request cannot be read.", fields=problems)
    names = list(columns)
    rows = [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    parameters = data.get("parameters")
    more = parameters if isinstance(parameters, dict) else {}
    plain = {name: more[name] for name in ("keys", "event_times") if name in more}
    return read_rows({"rows": rows, **plain}, user=user)


def _shape(index: int, tensor: Mapping[str, Any], count: int) -> dict[str, list[str]]:
    shape = tensor.get("shape")
    if shape in ([count], [count, 1]):
        return {}
    return {f"inputs.{index}.shape": [f"must be [{count}] or [{count}, 1], got {shape!r:.80}"]}


def tensors_of(answers: Sequence[Answered], outputs: Sequence[Output]) -> list[dict[str, Any]]:
    """The answers as output tensors, those of the signature first; others than numbers and
    flags as text.
    """
    tensors = [_tensor(answers, output) for output in outputs]
    served = [one.as_json()["served_by"] for one in answers]
    shape = [len(answers)]
    return [*tensors, {"name": "served_by", "shape": shape, "datatype": "BYTES", "data": served}]


def _tensor(answers: Sequence[Answered], output: Output) -> dict[str, Any]:
    values: list[Any] = [one.value(output.name) for one in answers]
    datatype = DATATYPES.get(output.type, "BYTES")
    if datatype == "BYTES":
        values = [None if value is None else str(value) for value in values]
    return {"name": output.name, "shape": [len(answers)], "datatype": datatype, "data": values}
