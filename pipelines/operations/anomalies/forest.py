"""An isolation forest as plain arrays: nothing in its file but numbers.

scikit-learn's own trees are compiled objects that trust the node numbers in their state; a
model file could make them read outside of memory. Arrays are checked by numpy at each step.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import IsolationForest

from pipelines.operations.unlabelled.matrix import Floats

LEAF = -1
CHUNK = 2000  # rows walked at a time: rows x trees places are held


def grow(matrix: Floats, *, trees: int, seed: int) -> dict[str, npt.NDArray[np.generic]]:
    """Fit an IsolationForest; its trees as arrays of trees x nodes, and the normalising length."""
    forest = IsolationForest(n_estimators=trees, random_state=seed).fit(matrix)
    grown = [one.tree_ for one in forest.estimators_]
    most = max(tree.node_count for tree in grown)
    shape = (len(grown), most)
    left, right = np.full(shape, LEAF, dtype=np.int32), np.full(shape, LEAF, dtype=np.int32)
    feature, threshold = np.zeros(shape, dtype=np.int32), np.zeros(shape)
    length = np.zeros(shape)
    for place, tree in enumerate(grown):
        nodes = slice(0, tree.node_count)
        left[place, nodes], right[place, nodes] = tree.children_left, tree.children_right
        feature[place, nodes] = np.maximum(tree.feature, 0)
        threshold[place, nodes] = tree.threshold
        length[place, nodes] = _depths(tree.children_left, tree.children_right)
        length[place, nodes] += expected_length(tree.n_node_samples)
    rows = min(256, len(matrix))  # the library's sample for a tree
    scale = np.asarray(len(grown) * expected_length(np.asarray([rows]))[0])
    return {
        "left": left, "right": right, "feature": feature, "threshold": threshold,
        "length": length, "scale": scale,
    }  # fmt: skip


def _depths(left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> Floats:
    """Edges from the root to each node; children always come after their parent."""
    depths = np.zeros(left.size)
    for node in range(left.size):
        if left[node] != LEAF:
            depths[[left[node], right[node]]] = depths[node] + 1
    return depths


def expected_length(rows: npt.NDArray[np.int64]) -> Floats:
    """Mean path length of an unsuccessful search among so many rows (Liu et al. 2008)."""
    counts = np.asarray(rows, dtype=np.float64)
    many = np.maximum(counts, 3.0)
    found = 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many
    return np.where(counts <= 1, 0.0, np.where(counts == 2, 1.0, found))


def strangeness(trees: dict[str, npt.NDArray[np.generic]], matrix: Floats) -> Floats:
    """2 ** -(mean path length / expected length) per row: nearer to 1 is stranger."""
    # the library's trees compare numbers of single precision
    rows = np.asarray(matrix, dtype=np.float32)
    found = [_walk(trees, rows[at : at + CHUNK]) for at in range(0, len(rows), CHUNK)]
    return np.concatenate(found) if found else np.empty(0)


def _walk(trees: dict[str, npt.NDArray[np.generic]], rows: npt.NDArray[np.float32]) -> Floats:
    left, right = trees["left"], trees["right"]
    each = np.arange(left.shape[0])[None, :]
    at = np.zeros((len(rows), left.shape[0]), dtype=np.int64)
    place = np.arange(len(rows))[:, None]
    for _ in range(left.shape[1]):
        down = left[each, at]
        inner = down != LEAF
        if not inner.any():
            break
        low = rows[place, trees["feature"][each, at]] <= trees["threshold"][each, at]
        at = np.where(inner, np.where(low, down, right[each, at]), at)
    total = np.asarray(trees["length"][each, at].sum(axis=1), dtype=np.float64)
    found: Floats = 2.0 ** (-total / float(trees["scale"]))
    return found
