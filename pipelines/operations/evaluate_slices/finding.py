"""Slices nobody named: leaves of a shallow tree on the errors, tested on other rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.tree import DecisionTreeRegressor

from pipelines.operations.evaluate_slices.grouping import Slice
from pipelines.operations.learning.candidates import Candidate, Holdout
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet
from pipelines.operations.learning.families import encode
from pipelines.operations.learning.texts import only_numbers

DEPTH = 3
LEAF_SHARE = 0.02  # of the rows: smaller leaves chase noise (own)
MINIMUM_ROWS = 200  # of the holdout, half of it to look, half to test


def found_slices(candidate: Candidate, holdout: Holdout, *, seed: int) -> list[Slice]:
    """Leaves with more error than their scores admit; only rows the tree did not see.

    Empty for a model without a feature definition, or a small holdout.
    """
    features, rows = candidate.features, len(holdout.labels)
    if features is None or rows < MINIMUM_ROWS:
        return []
    matrix = only_numbers(features, encode(features, holdout.frame, field="holdout")[1])
    looked = np.zeros(rows, dtype=bool)
    looked[np.random.default_rng(seed).permutation(rows)[: rows // 2]] = True
    excess = candidate.task.excess(holdout.scores, holdout.labels)
    tree = DecisionTreeRegressor(
        max_depth=DEPTH, min_samples_leaf=max(25, int(LEAF_SHARE * rows / 2)), random_state=seed
    )
    tree.fit(matrix[looked], excess[looked])
    leaves = tree.apply(matrix)
    gaps = np.asarray(np.isnan(matrix).any(axis=0))
    return [
        Slice("", _rule(tree, leaf, features, gaps), (leaves == leaf) & ~looked, found=True)
        for leaf in np.unique(leaves)
        if tree.tree_.node_count > 1
    ]


def _rule(tree: DecisionTreeRegressor, leaf: int, features: FeatureSet, gaps: np.ndarray) -> str:
    """The path to a leaf in words; `gaps` says which encoded columns have missing values."""
    inner = tree.tree_
    parents = {
        int(child): (node, child == inner.children_left[node])
        for node in range(inner.node_count)
        for child in (inner.children_left[node], inner.children_right[node])
        if child >= 0
    }
    parts: list[str] = []
    node = int(leaf)
    while node in parents:
        node, is_left = parents[node]
        place = int(inner.feature[node])
        column, output = features.encoded[place]
        takes_missing = gaps[place] and bool(inner.missing_go_to_left[node]) == is_left
        bounds = (-np.inf, float(inner.threshold[node]))
        if not is_left:
            bounds = (bounds[1], np.inf)
        part = _part(column, output, bounds)
        parts.append(f"({part} or missing)" if takes_missing else part)
    return " and ".join(reversed(parts)) or "all rows"


def _part(column: FeatureColumn, output: str, bounds: tuple[float, float]) -> str:
    low, high = bounds
    if column.categories:
        places = range(len(column.categories))
        names = [str(column.categories[place]) for place in places if low < place <= high]
        return f"{output} in {_listed(names)}"
    if column.role == "text":
        output = f"words of {output}"
    return f"{output} <= {high:g}" if np.isfinite(high) else f"{output} > {low:g}"


def _listed(names: Sequence[str]) -> str:
    if len(names) <= 6:
        return f"({', '.join(names)})"
    return f"({', '.join(names[:3])} ... {names[-1]}: {len(names)} of them)"
