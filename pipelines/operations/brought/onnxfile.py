"""Reading an ONNX graph: what it takes, what it gives, and what it must not hold.

The graph is looked at as data first; it is run only once nothing in it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnx
from google.protobuf.message import DecodeError

from pipelines.operations.brought.declaration import Declaration
from pipelines.operations.brought.estimators import (
    EXACT_TIMES,
    FLOATS,
    MAPS,
    TENSORS,
    Graph,
    session,
    spelled,
)
from pipelines.operations.contract import Json, OperationError

# Operators that onnxruntime brings itself; "" is ai.onnx.
DOMAINS: Final = ("", "ai.onnx", "ai.onnx.ml")
RANDOM: Final = (
    "Bernoulli",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
)
MOST_NODES: Final = 200_000
RULE: Final = "is an ONNX graph of standard operators with all its weights inside"


@dataclass(frozen=True)
class Side:
    """One input or output of a graph: its type as onnxruntime names it, and its shape."""

    name: str
    type: str
    shape: tuple[int | None, ...]

    @property
    def columns(self) -> int | None:
        """How many columns a row has; None where the graph leaves it open."""
        if len(self.shape) < 2:
            return 1
        return self.shape[1]


def refused(code: str, message: str, *, value: Json = None, rule: str = RULE) -> OperationError:
    """A model that is not admitted."""
    return OperationError(code, message, field="model", value=value, rule=rule)


def read_graph(path: Path) -> onnx.ModelProto:
    """The graph as data, nothing of it run; raises OperationError with what is wrong in it."""
    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise refused("unreadable_model", f"the model is no readable ONNX graph: {error}") from None
    if not model.graph.node or not model.graph.output:
        raise refused("unreadable_model", "the model is no ONNX graph: it has no nodes or outputs")
    _check_parts(model)
    return model


def _check_parts(model: onnx.ModelProto) -> None:
    outside = sorted(set(_external(model)))
    if outside:
        raise refused(
            "external_data",
            f"the model keeps weights in other files ({', '.join(outside[:3])}), which did not "
            "come with it: save it as one file",
            value=list[Json](outside[:20]),
        )
    nodes = list(_nodes(model))
    if len(nodes) > MOST_NODES:
        raise refused("too_many_nodes", f"the graph has {len(nodes):,} nodes", value=len(nodes))
    own = {(function.domain, function.name) for function in model.functions}
    strange = sorted({f"{node.domain}.{node.op_type}" for node in nodes if _strange(node, own)})
    if strange:
        raise refused(
            "custom_operators",
            f"the model needs operators that are not standard: {', '.join(strange[:5])}",
            value=list[Json](strange[:20]),
            rule=f"every operator is of {', '.join(DOMAINS[1:])} or defined in the file",
        )
    chance = sorted({node.op_type for node in nodes if node.op_type in RANDOM})
    if chance:
        raise refused(
            "random_operators",
            f"the model draws random numbers ({', '.join(chance)}): its answers do not repeat",
            value=list[Json](chance),
            rule="gives the same answer to the same row",
        )


def _strange(node: onnx.NodeProto, own: set[tuple[str, str]]) -> bool:
    return node.domain not in DOMAINS and (node.domain, node.op_type) not in own


def _graphs(model: onnx.ModelProto) -> Iterator[Any]:
    """The graph, the functions in the file, and every graph inside a node (If, Loop, Scan)."""
    waiting: list[Any] = [model.graph, *model.functions]
    while waiting:
        graph = waiting.pop()
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                waiting += [attribute.g] if attribute.HasField("g") else []
                waiting += list(attribute.graphs)


def _nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    for graph in _graphs(model):
        yield from graph.node


def _external(model: onnx.ModelProto) -> Iterator[str]:
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            entries = {entry.key: entry.value for entry in tensor.external_data}
            yield entries.get("location", "a file without a name")


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    for graph in _graphs(model):
        yield from getattr(graph, "initializer", ())
        for sparse in getattr(graph, "sparse_initializer", ()):
            yield sparse.values
            yield sparse.indices
        for node in graph.node:
            for attribute in node.attribute:
                yield from [attribute.t] if attribute.HasField("t") else []
                yield from attribute.tensors


def sides(content: bytes) -> tuple[list[Side], list[Side]]:
    """Inputs and outputs as the runtime sees them; raises OperationError if it takes it not."""
    try:
        running = session(content)
    except Exception as error:  # onnxruntime's errors share no class of their own
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        first = str(error).strip().splitlines()[0]
        raise refused("unreadable_model", f"ONNX Runtime cannot take the model: {first}") from None
    return _sides(running.get_inputs()), _sides(running.get_outputs())


def _sides(found: Any) -> list[Side]:
    return [
        Side(
            side.name,
            side.type,
            tuple(part if isinstance(part, int) else None for part in side.shape or ()),
        )
        for side in found
    ]


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
    allowed = (1, 2) if declared.task == "classification" else (1,)
    if side.columns is not None and side.columns not in allowed:
        return f"gives {side.columns} columns, where {' or '.join(map(str, allowed))} are due"
    return ""


def _label_problems(model: onnx.ModelProto, declared: Declaration) -> Iterator[str]:
    """Classes that the graph's own nodes name, where they do, against the declared ones."""
    if declared.task != "classification":
        return
    wanted = [spelled(value) for value in declared.classes]
    seen = []
    for node in _nodes(model):
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
