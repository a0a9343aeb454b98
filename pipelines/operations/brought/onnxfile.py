"""Reading an ONNX graph: what it takes, what it gives, and what it must not hold.

The graph is looked at as data first; it is run only once nothing in it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from pipelines.operations.brought.estimators import session
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
    nodes = list(nodes_of(model))
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


def nodes_of(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
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
