"""Rules about what an operation does with its example."""

from __future__ import annotations

import csv
import json
import math
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from pipelines.operations.conformance.running import (
    SEED,
    Given,
    NoExample,
    Operation,
    Performed,
    digest,
    perform,
)
from pipelines.operations.contract import Json, OperationError

LARGEST_FACTS: Final = 200_000  # bytes as JSON, of a small example
NEAR: Final = 1e-9  # relative: sums of floats depend on their order
# What a file port may get that is no such file; each is to be refused, or to be taken.
BAD_FILES: Final[Mapping[str, bytes]] = {
    "an empty file": b"",
    "bytes of no format": bytes(range(256)) * 4,
    "an unfinished text": b'{"a": [1, 2',
}


def inputs_unchanged(operation: Operation, done: Performed) -> Iterator[str]:
    """It leaves its inputs as they are."""
    for path, known in done.before.items():
        if done.after.get(path) != known:
            yield f"it changed its input {Path(path).name}"


def outputs_as_declared(operation: Operation, done: Performed) -> Iterator[str]:
    """It makes what it declares, as files in its folder, and nothing else."""
    declared = {port.name: port for port in operation.spec.outputs}
    for outcome, name in ((done.first, "first"), (done.second, "second")):
        made = outcome.outputs
        yield from (f"it declares no output {port}" for port in sorted(set(made) - set(declared)))
        for port, found in declared.items():
            if port not in made and not found.optional:
                yield f"it made no output {port}"
        for port, path in made.items():
            if not path.is_file() or not path.resolve().is_relative_to(
                (done.folder / name).resolve()
            ):
                yield f"output {port} is no file in its folder: {path}"


def same_twice(operation: Operation, done: Performed) -> Iterator[str]:
    """The same inputs, parameters and seed give the same bytes and facts."""
    if not operation.spec.repeatable:
        return  # it measures the machine, and says so
    for port, path in done.first.outputs.items():
        again = done.second.outputs.get(port)
        if again is None or digest(path) != digest(again):
            yield f"output {port} came out differently"
    if without_durations(done.first.facts) != without_durations(done.second.facts):
        yield "the facts came out differently"


def facts_are_json(operation: Operation, done: Performed) -> Iterator[str]:
    """Facts are there, small, and JSON with finite numbers."""
    facts: Json = done.first.facts
    if not facts:
        yield "it gives no facts"
    found = list(_not_json(facts, "facts"))
    yield from found
    if not found and len(json.dumps(facts)) > LARGEST_FACTS:
        yield f"facts are larger than {LARGEST_FACTS:,} bytes; what is large belongs in an output"


def progress_told(operation: Operation, done: Performed) -> Iterator[str]:
    """It says how far it is, and never goes back."""
    if not done.progress:
        yield "it never calls context.progress"
    if list(done.progress) != sorted(done.progress):
        yield f"its progress goes back: {list(done.progress)}"


def order_free(operation: Operation, done: Performed) -> Iterator[str]:
    """Where `row_order` is "free", other orders of the rows give the same facts."""
    if operation.spec.row_order != "free":
        return
    shuffled = _shuffled(done.given, done.folder / "shuffled")
    other = perform(operation, done.folder / "other", (shuffled, done.params), [], {})
    first, again = without_durations(done.first.facts), without_durations(other.facts)
    if not near(first, again):
        yield "row_order is 'free', but with its rows in another order the facts differ"


def bad_files_refused(operation: Operation, done: Performed) -> Iterator[str]:
    """A file that is none of its kind leads to an OperationError, not to a traceback."""
    for port, given in done.given.items():
        for number, (what, content) in enumerate(BAD_FILES.items()):
            folder = done.folder / f"bad-{port}-{number}"
            folder.mkdir()
            path = folder / (given.name if isinstance(given, Path) else "part.bin")
            path.write_bytes(content)
            bad: Given = {**done.given, port: path if isinstance(given, Path) else {"part": path}}
            try:
                perform(operation, folder / "out", (bad, done.params), [], {})
            except (OperationError, NoExample):
                continue
            # Any other error is what is looked for.
            except Exception as error:
                yield f"{what} as {port}: {type(error).__name__}: {error}, not an OperationError"


def _shuffled(given: Given, folder: Path) -> Given:
    """The same tables, their rows in another order; what is no table stays."""
    folder.mkdir()
    found: dict[str, Path | Mapping[str, Path]] = {}
    for port, value in given.items():
        if isinstance(value, Path):
            found[port] = _shuffle(value, folder / f"{port}{value.suffix}")
        else:
            found[port] = {
                name: _shuffle(path, folder / f"{port}-{at}{path.suffix}")
                for at, (name, path) in enumerate(value.items())
            }
    return found


def _shuffle(path: Path, to: Path) -> Path:
    draw = random.Random(SEED)  # noqa: S311 - an order, not a secret
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        order = list(range(table.num_rows))
        draw.shuffle(order)
        pq.write_table(table.take(order), to)
    elif path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as source:
            head, *rows = list(csv.reader(source))
        draw.shuffle(rows)
        with to.open("w", newline="", encoding="utf-8") as sink:
            csv.writer(sink).writerows([head, *rows])
    else:
        return path
    return to


def near(one: Json, other: Json) -> bool:
    """Whether two facts are equal, floats within 1e-9 of each other."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(near(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(near, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=NEAR, abs_tol=NEAR)
    return one == other


def without_durations(facts: Json) -> Json:
    """Facts without those named *_seconds, which may differ between equal results."""
    if isinstance(facts, dict):
        return {k: without_durations(v) for k, v in facts.items() if not k.endswith("_seconds")}
    if isinstance(facts, list):
        return [without_durations(item) for item in facts]
    return facts


def _not_json(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str:
                yield f"{path}: key {key!r} is no text"
            yield from _not_json(item, f"{path}.{key}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _not_json(item, f"{path}[{at}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{path} is {value!r}; None stands for what is unknown"
    elif value is not None and type(value) not in (bool, int, float, str):
        yield f"{path} is a {type(value).__name__}"
