"""Bad tables as far as a run would go: what is not refused is learned from and judged honestly.

Every fact of every step is finite, which `Stages` asserts; what is asserted here stands in
docs/acceptance/bad-input.md.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.long import only_long
from tests.unit.operations.bad_tables import KINDS, everything_at_once
from tests.unit.operations.stages import LEFT_OUT, Stages
from tests.unit.operations.test_bad_tables import LABELLED, UNLABELLED, given, left_out, refusal

# hand-offs in processes of their own: what they read was judged before
QUICKLY = (*LEFT_OUT, "rehearse_segments", "refit_anomalies")
WHOLE = [pytest.param(kind, marks=[only_long] if kind != "two classes" else []) for kind in KINDS]


def learned(kind: str, folder: Path, table: pd.DataFrame) -> Stages:
    return KINDS[kind].play(folder, table, "evaluate", left_out=QUICKLY)


@pytest.mark.parametrize("kind", WHOLE)
def test_everything_at_once(tmp_path, kind) -> None:
    stages = learned(kind, tmp_path, everything_at_once(kind))
    assert stages.error is None, (stages.at, stages.error)
    told = stages.checks()
    if kind == "forecasting":
        assert stages.facts("source.series")["missing_values"] > 0
        assert stages.facts("source.series")["out_of_order"] > 0
    else:
        assert {"same", "word"} <= set(left_out(stages))
        assert "void" in told["columns_mapped"].summary
        assert told["worries:explore"].verdict == "fail"
        assert "15 rows" in told["rows_sound"].summary
    if kind in LABELLED:
        assert (told["leakage_clean"].verdict, told["no_open_blocker"].verdict) == ("fail", "fail")
    judged = "evaluate.judge" if kind in UNLABELLED else "evaluate.evaluate"
    assert stages.facts(judged)["rows"] > 20


@only_long
def test_nothing_to_learn_is_not_called_good(tmp_path) -> None:
    kind = "two classes"
    table, target = given(kind), KINDS[kind].target
    table[target] = np.random.default_rng(11).permutation(table[target])
    stages = learned(kind, tmp_path, table)
    assert stages.error is None, (stages.at, stages.error)
    told = stages.checks()
    assert told["target_met"].verdict == "fail"
    assert told["beats_baseline"].verdict != "pass"


def only_late(kind: str) -> pd.DataFrame:
    """One value of the target in all rows to decide on."""
    table, name = given(kind), KINDS[kind].target
    table.loc[int(len(table) * 0.8) :, name] = table[name].iloc[0]
    return table


def only_early(kind: str) -> pd.DataFrame:
    """One value of the target in all rows to learn from."""
    table, name = given(kind), KINDS[kind].target
    table.loc[: int(len(table) * 0.8), name] = table[name].iloc[0]
    return table


def few(kind: str) -> pd.DataFrame:
    return given(kind)[:30]


def rare(kind: str) -> pd.DataFrame:
    """Each class but the most frequent in three rows."""
    table, name = given(kind), KINDS[kind].target
    common, *others = table[name].value_counts().index
    table[name] = common
    for place, other in enumerate(others):
        table.loc[[place, 100 + place, 340 + place], name] = other
    return table


def worded(kind: str) -> pd.DataFrame:
    table, name = given(kind), KINDS[kind].target
    return table.assign(**{name: table[name].round().astype(str) + " EUR"})


def constant(kind: str) -> pd.DataFrame:
    return given(kind).assign(sold=5.0)


def wordless(kind: str) -> pd.DataFrame:
    """No word comes twice."""
    rows = len(given(kind))
    return given(kind).assign(note=[f"w{n}a w{n}b" for n in range(rows)])


REFUSED = [
    ("two classes", only_late, "target_one_class", "explore.baseline"),
    ("several classes", only_late, "target_one_class", "explore.baseline"),
    ("regression", only_late, "target_one_class", "explore.baseline"),
    ("two classes", only_early, "target_one_class", "explore.worries"),
    ("several classes", only_early, "target_one_class", "explore.worries"),
    ("regression", only_early, "target_one_class", "explore.worries"),
    ("two classes", rare, "class_too_small", "features.build"),
    ("several classes", rare, "class_too_small", "explore.baseline"),
    ("texts", rare, "class_too_small", "features.build"),
    ("several classes", few, "class_too_small", "explore.baseline"),
    ("two classes", few, "class_too_small", "evaluate.evaluate"),
    ("regression", few, "too_few_rows", "evaluate.evaluate"),
    ("clustering", few, "too_few_rows", "features.build"),
    ("anomalies", few, "too_few_rows", "features.build"),
    ("regression", worded, "target_not_a_number", "explore.split"),
    ("forecasting", constant, "target_one_class", "explore.split"),
    ("texts", wordless, "no_words", "tune.svc"),
]


@only_long
@pytest.mark.parametrize(("kind", "make", "code", "at"), REFUSED)
def test_too_little_to_go_on(tmp_path, kind, make, code, at) -> None:
    """Refused by the first step that cannot do its work, with field, rule and value."""
    error = refusal(learned(kind, tmp_path, make(kind)), code, at=at)
    assert error.value is not None or code == "no_words"
