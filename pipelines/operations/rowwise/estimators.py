"""Row form of fitted estimators: a feature vector in, class probabilities (or a value) out.

Trees are nested tuples walked in Python: for one row that beats the array code, whose cost is
in checking and copying its input. Sums run in the order of scikit-learn's own loops.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier

from pipelines.operations.learning.keyword_votes import KeywordVotes
from pipelines.operations.learning.texts import KeywordRule
from pipelines.operations.rowwise.several import calibrated_several, keyword_votes, softmax
from pipelines.operations.rowwise.stages import NotCompilableError
from pipelines.operations.rowwise.texts import calibrated, keyword_rule

Vector: TypeAlias = Sequence[float]
Scores: TypeAlias = list[float]
RowModel: TypeAlias = Callable[[Vector], Scores]
# A leaf is its value; a split is (feature, threshold, missing goes left, categories or None,
# left, right). Nested, so that a walk needs no index arithmetic.
Split: TypeAlias = (
    "tuple[int, float, bool, tuple[frozenset[int], frozenset[int]] | None, Node, Node]"
)
Node: TypeAlias = "float | Split"


def compile_estimator(estimator: object) -> RowModel:
    """Row form of a fitted estimator. Raises NotCompilableError for one that is not known here."""
    if isinstance(estimator, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        return _boosting(estimator)
    if isinstance(estimator, LogisticRegression | LinearRegression | Ridge):
        return _linear(estimator)
    if isinstance(estimator, RandomForestClassifier | ExtraTreesClassifier):
        return _forest(list(estimator.estimators_))
    if isinstance(estimator, DecisionTreeClassifier):
        return _forest([estimator])
    if isinstance(estimator, DummyClassifier | DummyRegressor):
        return _dummy(estimator)
    if isinstance(estimator, CalibratedClassifierCV):
        several = len(estimator.classes_) > 2
        return calibrated_several(estimator) if several else calibrated(estimator)
    if isinstance(estimator, KeywordRule):
        return keyword_rule(estimator)
    if isinstance(estimator, KeywordVotes):
        return keyword_votes(estimator)
    raise NotCompilableError(f"{type(estimator).__name__} has no row form")


def walk(node: Node, vector: Vector) -> float:
    """The value of the leaf that a vector falls into."""
    while not isinstance(node, float):
        feature, threshold, missing_left, categories, left, right = node
        value = vector[feature]
        if categories is None:
            # A missing value compares false with everything.
            node = left if value <= threshold or (value != value and missing_left) else right
        else:
            node = left if _goes_left(value, categories, missing_left) else right
    return node


def _goes_left(
    value: float, categories: tuple[frozenset[int], frozenset[int]], missing_left: bool
) -> bool:
    left, known = categories
    if value != value or value < 0 or int(value) not in known:
        return missing_left
    return int(value) in left


def _boosting(model: HistGradientBoostingClassifier | HistGradientBoostingRegressor) -> RowModel:
    reorder = _category_codes(model)
    known, columns = model._bin_mapper.make_known_categories_bitsets()
    per_class = [
        [_boosting_tree(trees[k], known, columns) for trees in model._predictors]
        for k in range(model.n_trees_per_iteration_)
    ]
    baseline = [float(value) for value in np.ravel(model._baseline_prediction)]
    link = (
        _class_link(model)
        if isinstance(model, HistGradientBoostingClassifier)
        else _value_link(model)
    )

    def scores(given: Vector) -> Scores:
        raw = []
        vector = reorder(given)
        for start, trees in zip(baseline, per_class, strict=True):
            for tree in trees:
                start += walk(tree, vector)
            raw.append(start)
        return link(raw)

    return scores


def _category_codes(
    model: HistGradientBoostingClassifier | HistGradientBoostingRegressor,
) -> Callable[[Vector], Vector]:
    """Boosting moves its categorical columns to the front and numbers their categories."""
    if model._preprocessor is None:
        return lambda vector: vector
    encoder = model._preprocessor.named_transformers_["encoder"]
    codes = [
        {float(value): float(code) for code, value in enumerate(values) if value == value}
        for values in encoder.categories_
    ]
    front = [int(index) for index in np.flatnonzero(model.is_categorical_)]
    rest = [int(index) for index in np.flatnonzero(~model.is_categorical_)]

    def reorder(vector: Vector) -> Vector:
        known = [
            table.get(vector[index], math.nan) for table, index in zip(codes, front, strict=True)
        ]
        return known + [vector[index] for index in rest]

    return reorder


def _class_link(model: HistGradientBoostingClassifier) -> Callable[[Scores], Scores]:
    if model.n_trees_per_iteration_ == 1:

        def two(raw: Scores) -> Scores:
            positive = float(expit(raw[0]))
            return [1 - positive, positive]

        return two
    loss = model._loss
    return lambda raw: [float(x) for x in loss.predict_proba(np.asarray([raw]))[0]]


def _value_link(model: HistGradientBoostingRegressor) -> Callable[[Scores], Scores]:
    inverse = model._loss.link.inverse
    return lambda raw: [float(x) for x in inverse(np.asarray(raw))]


def _boosting_tree(predictor: object, known: np.ndarray, columns: np.ndarray) -> Node:
    nodes = predictor.nodes.tolist()  # type: ignore[attr-defined]
    fields = {name: place for place, name in enumerate(predictor.nodes.dtype.names)}  # type: ignore[attr-defined]
    bitsets = predictor.raw_left_cat_bitsets  # type: ignore[attr-defined]

    def build(index: int) -> Node:
        node = nodes[index]
        if node[fields["is_leaf"]]:
            return float(node[fields["value"]])
        feature = int(node[fields["feature_idx"]])
        categories = None
        if node[fields["is_categorical"]]:
            left = _members(bitsets[node[fields["bitset_idx"]]])
            categories = (left, left | _members(known[columns[feature]]))
        return (
            feature,
            float(node[fields["num_threshold"]]),
            bool(node[fields["missing_go_to_left"]]),
            categories,
            build(node[fields["left"]]),
            build(node[fields["right"]]),
        )

    return build(0)


def _members(bitset: np.ndarray) -> frozenset[int]:
    return frozenset(
        32 * word + bit
        for word, bits in enumerate(bitset)
        for bit in range(32)
        if (int(bits) >> bit) & 1
    )


def _linear(model: LogisticRegression | LinearRegression | Ridge) -> RowModel:
    weights = np.atleast_2d(np.asarray(model.coef_, dtype=float))
    intercept = np.ravel(np.asarray(model.intercept_, dtype=float))
    if isinstance(model, LogisticRegression):
        if len(model.classes_) != 2:
            return lambda vector: softmax((np.asarray([vector]) @ weights.T + intercept)[0])

        def classes(vector: Vector) -> Scores:
            positive = float(expit(np.asarray([vector]) @ weights.T + intercept)[0, 0])
            return [1 - positive, positive]

        return classes
    return lambda vector: [float((np.asarray([vector]) @ weights.T + intercept)[0, 0])]


def _forest(trees: Sequence[DecisionTreeClassifier]) -> RowModel:
    compiled = [_class_tree(tree) for tree in trees]
    count = float(len(compiled))

    def scores(vector: Vector) -> Scores:
        # scikit-learn's trees compare float32 values with float64 thresholds.
        short = [float(x) for x in np.asarray(vector, dtype=np.float32)]
        total: np.ndarray | None = None
        for leaf, values in compiled:
            found = values[int(walk(leaf, short))]
            total = found.copy() if total is None else total + found
        return [] if total is None else [float(x) for x in total / count]

    return scores


def _class_tree(tree: DecisionTreeClassifier) -> tuple[Node, np.ndarray]:
    """The tree with leaf numbers as values, and the class shares of each leaf."""
    inner = tree.tree_
    shares = inner.value[:, 0, :]
    shares = shares / shares.sum(axis=1, keepdims=True)
    missing_left = getattr(inner, "missing_go_to_left", np.zeros(inner.node_count, dtype=bool))

    def build(index: int) -> Node:
        left, right = int(inner.children_left[index]), int(inner.children_right[index])
        if left == right:
            return float(index)
        feature, threshold = int(inner.feature[index]), float(inner.threshold[index])
        return (feature, threshold, bool(missing_left[index]), None, build(left), build(right))

    return build(0), shares


def _dummy(model: DummyClassifier | DummyRegressor) -> RowModel:
    if isinstance(model, DummyClassifier):
        if model.strategy != "prior":
            raise NotCompilableError(f"a dummy with strategy {model.strategy}")
        constant = [float(x) for x in model.class_prior_]
    else:
        constant = [float(x) for x in np.ravel(model.constant_)]
    return lambda vector: list(constant)
