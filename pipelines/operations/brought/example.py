"""Small models for examples and tests: graphs and pipelines as other tools would write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pipelines.operations.contract import Json
from pipelines.operations.learning.example import PLACES, rows, write_contract, write_rows
from pipelines.operations.tables import write_document

COLUMNS: tuple[dict[str, Json], ...] = (
    {"name": "wind", "type": "number", "missing": 20},
    {"name": "seats", "type": "number", "missing": 150},
    {"name": "place", "type": "text", "categories": list(PLACES), "missing": -1},
)
WEIGHTS = (0.15, 0.001, 0.05)
BIAS = -3.7


def declaration(**changes: Json) -> dict[str, Json]:
    """What is true of `logistic_graph`, with some of it changed."""
    return {
        "format": "baton/brought/1",
        "task": "classification",
        "target": "late",
        "classes": [0, 1],
        "columns": list(COLUMNS),
        **changes,
    }


def logistic_graph(
    *,
    weights: Sequence[float] = WEIGHTS,
    last: str = "Sigmoid",
    nodes: Sequence[onnx.NodeProto] = (),
    batch: int | None = None,
) -> onnx.ModelProto:
    """A probability of the positive class from one tensor of floats, as torch exports it.

    `last` is the operator behind the sum ("Identity" leaves a logit); `nodes` come before it.
    """
    weight = np.asarray(weights, dtype=np.float32).reshape(-1, 1)
    made = [
        helper.make_node("MatMul", ["rows", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        *nodes,
        helper.make_node(last, [nodes[-1].output[0] if nodes else "sum"], ["probability"]),
    ]
    graph = helper.make_graph(
        made,
        "late",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [batch, len(weights)])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [batch, 1])],
        [
            numpy_helper.from_array(weight, "weight"),
            numpy_helper.from_array(np.asarray([BIAS], dtype=np.float32), "bias"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def write_graph(path: Path, model: onnx.ModelProto | None = None) -> Path:
    """A graph as a file."""
    path.write_bytes((model or logistic_graph()).SerializeToString())
    return path


@dataclass(frozen=True)
class Bringing:
    """Everything that comes with a model, and what it is held against."""

    model: Path
    declaration: Path
    features: Path
    contract: Path
    train: Path
    holdout: Path

    def inputs(self) -> dict[str, Path]:
        """The inputs of `admit_model`."""
        names = ("model", "declaration", "features", "contract", "holdout")
        return {name: getattr(self, name) for name in names}


def write_all(folder: Path, declared: Mapping[str, Any] | None = None) -> Bringing:
    """A graph with its declaration, the rows of the example, and the features as declared."""
    stated = dict(declared or declaration())
    return Bringing(
        model=write_graph(folder / "model.onnx"),
        declaration=write_document(folder / "declaration.json", stated),
        features=write_document(folder / "features.json", _features(stated)),
        contract=write_contract(folder),
        train=write_rows(folder / "train.parquet"),
        holdout=write_rows(folder / "holdout.parquet", 400, seed=2, start="2024-03-01"),
    )


def _features(stated: Mapping[str, Any]) -> Json:
    """The definition that `declare_features` gives for these columns."""
    from_rows = rows()
    columns: list[Json] = []
    for column in stated["columns"]:
        name, kind = column["name"], column["type"]
        role = {"text": "category", "boolean": "flag", "time": "date"}.get(kind, "number")
        columns.append(
            {
                "name": name,
                "role": role,
                "dtype": str(from_rows[name].dtype),
                "availability": "before",
                "categories": list(column.get("categories", [])),
            }
        )
    later: dict[str, Json] = {} if stated["task"] == "classification" else {"task": "regression"}
    return {
        **later,
        "format": "baton/features/1",
        "target": stated["target"],
        "classes": [0, 1] if stated["task"] == "classification" else [],
        "key": ["journey"],
        "time": "leaves",
        "columns": columns,
        "left_out": [],
    }
