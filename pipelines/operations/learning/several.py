"""The target column as numbers 0 to K - 1, where it has more than two classes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.class_names import LONGEST_NAME, MOST_CLASSES
from pipelines.operations.learning.labels import MINIMUM_PER_CLASS, Labels, plain, rank
from pipelines.operations.windows import text_of


def count_classes(values: pd.Series) -> int:
    """Distinct known values."""
    return int(values.nunique(dropna=True))


def several_classes(values: pd.Series) -> tuple[Json, ...]:
    """The classes, numbers by size and texts by letter.

    Raises OperationError for fewer than 3 or more than 20 classes, one of too few rows, or one
    whose name cannot be told from another's.
    """
    counts = values.dropna().value_counts()
    _check_count(str(values.name), counts)
    small = sorted((int(n), str(plain(value))) for value, n in counts.items())
    if small[0][0] < MINIMUM_PER_CLASS:
        few = [(n, name) for n, name in small if n < MINIMUM_PER_CLASS]
        raise OperationError(
            "class_too_small",
            f"target {values.name}: "
            + ", ".join(f"class {name} has {n} row(s)" for n, name in few[:5]),
            field="target", value=few[0][1],
            rule=f"each class has at least {MINIMUM_PER_CLASS} rows to learn from",
        )  # fmt: skip
    classes = sorted((plain(value) for value in counts.index), key=rank)
    _check_names(str(values.name), classes)
    return tuple(classes)


def _check_count(name: str, counts: pd.Series) -> None:
    if not counts.size:
        raise OperationError(
            "target_missing", f"target {name} has no value in any row",
            field="target", value=name, rule="has two classes or more",
        )  # fmt: skip
    if counts.size == 1:
        raise OperationError(
            "one_class", f"target {name} is {plain(counts.index[0])} in every row",
            field="target", value=plain(counts.index[0]), rule="has two classes or more",
        )  # fmt: skip
    if counts.size > MOST_CLASSES:
        shown = ", ".join(str(plain(value)) for value in counts.index[:5])
        raise OperationError(
            "too_many_classes",
            f"target {name} has {counts.size:,} classes: {shown} and {counts.size - 5:,} more",
            field="target", value=int(counts.size),
            rule=f"has at most {MOST_CLASSES} classes; a number with more values is a regression",
        )  # fmt: skip


def _check_names(name: str, classes: list[Json]) -> None:
    texts = [text_of(value) for value in classes]
    for text in texts:
        if not text.strip() or len(text) > LONGEST_NAME:
            raise OperationError(
                "class_without_name" if not text.strip() else "class_name_too_long",
                f"target {name} has the class {text[:40]!r}",
                field="target", value=text[:40],
                rule=f"every class has a name of 1 to {LONGEST_NAME} characters;"
                " a missing label is null",
            )  # fmt: skip
    alike = sorted({text for text in texts if texts.count(text) > 1})
    if alike:
        raise OperationError(
            "classes_alike", f"target {name} writes the class {alike[0]} in more than one way",
            field="target", value=alike[0], rule="classes differ in more than spaces",
        )  # fmt: skip


def as_codes(values: pd.Series, classes: tuple[Json, ...]) -> Labels:
    """The place of each row's class; rows must not be missing.

    Raises OperationError for a value that is none of the classes.
    """
    known = {str(value): place for place, value in enumerate(classes)}
    if values.dtype == object:  # True and 1 may stand side by side, and would be taken as one
        places, distinct = np.arange(values.size), values.array
    else:
        places, distinct = pd.factorize(values, use_na_sentinel=False)
    codes = np.asarray([known.get(str(plain(value)), -1) for value in distinct], dtype=np.int64)
    found: Labels = codes[places]
    if (found < 0).any():
        wrong = str(plain(values[found < 0].iloc[0]))
        raise OperationError(
            "class_unknown",
            f"target {values.name} holds {wrong} in {int((found < 0).sum()):,} row(s), which"
            " training never saw",
            field="target", value=wrong, rule=f"is one of {', '.join(known)}",
        )  # fmt: skip
    return found


def judged_classes(values: pd.Series, classes: tuple[Json, ...] | None) -> tuple[Json, ...]:
    """The classes that labelled rows are judged by: those of training, where they are known.

    Raises OperationError where fewer than two of them occur.
    """
    found = classes or several_classes(values)
    if count_classes(values) < 2:
        raise OperationError(
            "holdout_with_one_class",
            f"target {values.name} of the rows to judge on holds"
            f" {count_classes(values)} of {len(found)} classes",
            field="holdout", value=count_classes(values), rule="holds two classes or more",
        )  # fmt: skip
    return found
