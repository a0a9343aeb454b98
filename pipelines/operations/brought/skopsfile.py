"""Reading a skops file that was brought: only types of a list, and trees that are trees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.base import BaseEstimator, is_regressor
from sklearn.ensemble._hist_gradient_boosting.predictor import TreePredictor
from sklearn.tree._tree import Tree

from pipelines.operations.brought.declaration import Declaration
from pipelines.operations.brought.estimators import spelled
from pipelines.operations.contract import OperationError
from pipelines.operations.learning import store

RULE: Final = "is a fitted scikit-learn model of listed types"
DEEP: Final = 60  # objects within objects; scikit-learn's own nest less than ten


def read_skops(path: Path, declared: Declaration) -> BaseEstimator:
    """The model; raises OperationError naming types, trees, columns or classes that are wrong."""
    model: BaseEstimator = store.load(path, field="model")
    for problem in broken_trees(model):
        raise OperationError(
            "broken_tree",
            f"the model holds a tree that cannot be walked: {problem}",
            field="model",
            rule="every branch leads on to a later node",
        )
    problems = [*_column_problems(model, declared), *_task_problems(model, declared)]
    if problems:
        raise OperationError(
            "signature_differs",
            "the model is not what is declared of it: " + "; ".join(problems),
            field="declaration",
            value=len(problems),
            rule="names the model's own columns and classes",
            details=[{"problem": text} for text in problems],
        )
    return model


def _column_problems(model: BaseEstimator, declared: Declaration) -> Iterator[str]:
    names = getattr(model, "feature_names_in_", None)
    count = getattr(model, "n_features_in_", None)
    if declared.inputs or declared.output:
        yield "inputs and output are for ONNX graphs, and it is a skops file"
    if names is None:
        if count is not None and int(count) != len(declared.names):
            yield f"it takes {int(count)} columns, declared are {len(declared.names)}"
        return
    taken = [str(name) for name in names]
    absent = [name for name in taken if name not in declared.names]
    beyond = [name for name in declared.names if name not in taken]
    if absent:
        yield f"it takes {', '.join(map(repr, absent[:5]))}, which is not declared"
    if beyond:
        yield f"it does not take {', '.join(map(repr, beyond[:5]))}, which is declared"
    if not absent and not beyond and taken != list(declared.names):
        yield f"it takes its columns in another order: {', '.join(taken[:10])}"


def _task_problems(model: BaseEstimator, declared: Declaration) -> Iterator[str]:
    if declared.task == "regression":
        if not is_regressor(model):
            yield f"it is a {type(model).__name__}, no regressor"
        return
    if not hasattr(model, "predict_proba"):
        yield f"it is a {type(model).__name__}, which gives no probabilities"
        return
    named = [spelled(value) for value in getattr(model, "classes_", ())]
    wanted = [spelled(value) for value in declared.classes]
    if named != wanted:
        yield (
            f"its classes are {', '.join(named) or 'unknown'}; declared are "
            f"{', '.join(wanted)}, in this order"
        )


def broken_trees(model: object) -> Iterator[str]:
    """What is wrong with the trees inside a model: scikit-learn walks them without looking.

    A node whose children come before it would be walked for ever; one beyond the end, or a
    column beyond the last, would read memory that is not the tree's.
    """
    seen: set[int] = set()
    waiting: list[tuple[object, int, int]] = [(model, 0, 0)]
    while waiting:
        found, depth, columns = waiting.pop()
        if id(found) in seen or depth > DEEP:
            continue
        seen.add(id(found))
        if isinstance(found, Tree):
            yield from _tree(found)
        elif isinstance(found, TreePredictor):
            yield from _predictor(found, columns)
        else:
            # boosting's trees do not know how many columns there are; the model around them does
            columns = int(getattr(found, "_n_features", columns))
            waiting += [(part, depth + 1, columns) for part in _parts(found)]


def _parts(found: object) -> list[Any]:
    if isinstance(found, dict):
        return list(found.values())
    if isinstance(found, list | tuple | set):
        return list(found)
    if isinstance(found, np.ndarray):
        return found.ravel().tolist() if found.dtype == object else []
    return list(vars(found).values()) if hasattr(found, "__dict__") else []


def _tree(tree: Tree) -> Iterator[str]:
    count = int(tree.node_count)
    places = np.arange(count)
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)
    leaf = left == -1
    if count == 0 or len(left) != count or tree.value.shape[0] != count:
        yield f"{count} nodes, but {len(left)} branches and {tree.value.shape[0]} values"
        return
    inner = ~leaf
    for side in (left, right):
        bad = inner & ((side <= places) | (side >= count))
        if bad.any():
            yield f"node {int(np.flatnonzero(bad)[0])} leads to node {int(side[bad][0])} of {count}"
    feature = np.asarray(tree.feature)
    outside = inner & ((feature < 0) | (feature >= tree.n_features))
    if outside.any():
        yield f"a node asks column {int(feature[outside][0])} of {tree.n_features}"


def _predictor(predictor: TreePredictor, columns: int) -> Iterator[str]:
    nodes = predictor.nodes
    count = len(nodes)
    inner = nodes["is_leaf"] == 0
    places = np.arange(count)
    for side in ("left", "right"):
        to = nodes[side].astype(np.int64)
        bad = inner & ((to <= places) | (to >= count))
        if bad.any():
            yield f"node {int(np.flatnonzero(bad)[0])} leads to node {int(to[bad][0])} of {count}"
    feature = nodes["feature_idx"].astype(np.int64)
    outside = inner & ((feature < 0) | (feature >= columns))
    if outside.any():
        yield f"a node asks column {int(feature[outside][0])} of {columns}"
    asks = nodes["bitset_idx"].astype(np.int64)
    beyond = inner & (nodes["is_categorical"] == 1) & (asks >= len(predictor.raw_left_cat_bitsets))
    if beyond.any():
        yield f"a node asks the set of categories {int(asks[beyond][0])}, which is not there"
