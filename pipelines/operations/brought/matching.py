"""A graph held against its declaration: everything in which they differ, at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import onnx

from pipelines.operations.brought.declaration import Declaration
from pipelines.operations.brought.estimators import Graph, spelled
from pipelines.operations.brought.feeding import EXACT_TIMES, FLOATS, TENSORS
from pipelines.operations.brought.onnxfile import Side, nodes_of, read_graph, sides
from pipelines.operations.contract import OperationError

MAPS: Final = "seq(map("  # how onnxruntime names a list of maps from classes to probabilities


def graph_of(path: Path, declared: Declaration) -> Graph:
    """The graph as an estimator, fed as declared.

    Raises OperationError naming everything in which the declaration and the graph differ.
    """
    model = read_graph(path)
    content = path.read_bytes()
    inputs, outputs = sides(content)
    fed = _fed(inputs, declared)
    problems = [*_input_problems(inputs, fed, declared), *_label_problems(model, declared)]
    chosen = _output(outputs, declared, problems)
    if problems:
        raise OperationError(
            "signature_differs",
            "the model is not what is declared of it: " + "; ".join(problems),
            field="declaration",
            value=len(problems),
            rule="names the graph's own inputs, outputs and classes",
            details=[{"problem": text} for text in problems],
        )
    feeds = [
        {
            "name": side.name,
            "dtype": TENSORS[side.type],
            "rank": len(side.shape),
            "columns": list(fed[side.name]),
        }
        for side in inputs
    ]
    columns = [dict(row) for row in _rows(declared)]
    return Graph(content, feeds, columns, chosen)


def _rows(declared: Declaration) -> list[dict[str, Any]]:
    found: Any = declared.as_json()["columns"]
    return list(found)


def _fed(inputs: list[Side], declared: Declaration) -> Mapping[str, tuple[str, ...]]:
    """Columns of each input: as declared; else all to the one, or each to that of its name."""
    if declared.inputs:
        return declared.inputs
    if len(inputs) == 1 and inputs[0].name not in declared.names:
        return {inputs[0].name: declared.names}
    return {name: (name,) for name in declared.names}


def _input_problems(
    inputs: list[Side], fed: Mapping[str, tuple[str, ...]], declared: Declaration
) -> Iterator[str]:
    known = {side.name: side for side in inputs}
    for name in sorted(set(fed) - set(known)):
        yield f"it has no input {name!r}; its inputs are {', '.join(known)}"
    for side in inputs:
        if side.name not in fed:
            yield f"its input {side.name!r} is given no column"
            continue
        yield from _side_problems(side, fed[side.name], declared)


def _side_problems(side: Side, names: tuple[str, ...], declared: Declaration) -> Iterator[str]:
    if side.type not in TENSORS:
        yield f"its input {side.name!r} takes {side.type}, which no column can be given as"
        return
    if len(side.shape) > 2:
        yield f"its input {side.name!r} has {len(side.shape)} dimensions; rows and columns are two"
    if side.shape and side.shape[0] is not None:
        yield (
            f"its input {side.name!r} takes exactly {side.shape[0]} row(s) at a time: export it "
            "with an open batch dimension"
        )
    if side.columns is not None and side.columns != len(names):
        yield f"its input {side.name!r} takes {side.columns} column(s), declared are {len(names)}"
    dtype = TENSORS[side.type]
    for name in names:
        column = declared.column(name)
        problem = _unfit(column.type, dtype, coded=bool(column.categories))
        if problem:
            yield f"column {name!r} is declared {column.type}, but input {side.name!r} {problem}"


def _unfit(type_: str, dtype: str, *, coded: bool) -> str:
    if dtype == "object":
        return "" if type_ == "text" else "takes texts"
    if type_ == "text" and not coded:
        return f"takes {dtype}: declare its categories, whose places are given instead"
    if type_ == "time" and dtype not in EXACT_TIMES:
        return f"takes {dtype}, which is too coarse for seconds since 1970"
    if type_ == "number" and dtype not in FLOATS:
        return f"takes {dtype}: declare it as integer"
    return "takes flags" if dtype == "bool" and type_ != "boolean" else ""


def _output(outputs: list[Side], declared: Declaration, problems: list[str]) -> str:
    """The output to read: as declared, else the only one that can be the answer."""
    names = [side.name for side in outputs]
    if declared.output and declared.output not in names:
        problems.append(f"it has no output {declared.output!r}; its outputs are {', '.join(names)}")
        return ""
    fit = [side for side in outputs if not _no_answer(side, declared)]
    if declared.output:
        side = next(side for side in outputs if side.name == declared.output)
        wrong = _no_answer(side, declared)
        problems += [f"its output {side.name!r} {wrong}"] if wrong else []
        return side.name
    if len(fit) == 1:
        return fit[0].name
    found = "; ".join(
        f"{side.name!r} {_no_answer(side, declared) or 'could be'}" for side in outputs
    )
    what = "probabilities" if declared.task == "classification" else "numbers"
    problems.append(
        f"{len(fit)} of its outputs could be the {what}: name one in `output` ({found})"
    )
    return ""


def _no_answer(side: Side, declared: Declaration) -> str:
    """Why an output cannot be the declared answer; empty where it can."""
    if side.type.startswith(MAPS):
        return "" if declared.task == "classification" else f"gives {side.type}, not numbers"
    if TENSORS.get(side.type) not in FLOATS:
        what = "probabilities" if declared.task == "classification" else "numbers"
        return f"gives {side.type}, not {what}"
    if len(side.shape) > 2:
        return f"has {len(side.shape)} dimensions"
    if len(declared.classes) > 2 and len(side.shape) == 1:
        return f"gives one number a row, where {len(declared.classes)} are due"
    several = len(declared.classes)
    allowed = (several,) if several > 2 else (1, several) if several else (1,)
    if side.columns is not None and side.columns not in allowed:
        return f"gives {side.columns} columns, where {' or '.join(map(str, allowed))} are due"
    return ""


def _label_problems(model: onnx.ModelProto, declared: Declaration) -> Iterator[str]:
    """Classes that the graph's own nodes name, where they do, against the declared ones."""
    if declared.task != "classification":
        return
    wanted = [spelled(value) for value in declared.classes]
    seen = []
    for node in nodes_of(model):
        for attribute in node.attribute:
            if not attribute.name.startswith("classlabels_"):
                continue
            named = [v.decode() for v in attribute.strings] or [str(v) for v in attribute.ints]
            if named and named not in seen:
                seen.append(named)
    for named in seen:
        if named != wanted:
            yield (
                f"its node names the classes {', '.join(named)}; declared are "
                f"{', '.join(wanted)}, in this order"
            )
