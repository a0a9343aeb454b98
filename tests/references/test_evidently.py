"""Drift against evidently, whose figures are kept: docs/references.md says why.

`make references` asks it again. Where Baton departs, the figure of evidently is computed here as
its source has it, so that the departure is the one that is stated and no other:

- Numbers of more than twenty values: evidently puts them into Sturges' bins of both sides
  together, Baton into tenths of the reference (`drift.numeric_counts`): an outlier makes nearly
  all of Sturges' bins empty, and bins that follow the window move with what they measure.
- Numbers of fewer values: evidently gives each value of either side a bin. Baton does so for up to
  ten values of the reference, where a new value falls to the nearest; of eleven to twenty it takes
  tenths.
- Categories that the reference lacks: evidently gives each a bin, Baton all of them one.
- Missing values: evidently takes them from the shares, so that these no longer add up to 1; in
  Baton they are a bin.
- Chi-squared: evidently takes the reference for the law itself; Baton lets both sides vary
  (Pearson's test of equal shares). With as many rows on both sides evidently's statistic is twice
  what chance gives, and a quiet window is accused in more than one of twenty cases.
"""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipelines.operations import drift
from tests.references.evidently_cases import cases

HERE = Path(__file__).parent
KEPT = json.loads((HERE / "evidently.json").read_text(encoding="utf-8"))
LOCKED = HERE.parents[1] / "requirements" / "references.txt"
ALL = cases()
NUMBERS = [name for name, case in ALL.items() if case[0] == "number"]
CATEGORIES = [name for name, case in ALL.items() if case[0] == "category"]


def sides(name: str) -> tuple[pd.Series, pd.Series]:
    return pd.Series(ALL[name][1], name="x"), pd.Series(ALL[name][2], name="x")


def test_the_kept_figures_are_those_of_the_locked_version_for_these_cases() -> None:
    locked = re.search(r"^evidently==(\S+)", LOCKED.read_text(encoding="utf-8"), re.MULTILINE)
    assert locked is not None
    assert KEPT["evidently"] == locked[1]
    assert set(KEPT["figures"]) == set(ALL)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str) -> None:
    old, new = sides(name)
    kept, found = KEPT["figures"][name], drift.column_drift(old, new, drift.Limits(minimum_rows=1))
    assert found.p_value == pytest.approx(kept["ks_p"], rel=1e-6, abs=1e-15)
    if old.nunique() > 20:
        edges = np.histogram_bin_edges(np.concatenate([old, new]), bins="sturges")
        counts = [np.histogram(side, edges)[0].astype(float) for side in (old, new)]
        assert drift.psi(*counts) == pytest.approx(kept["psi"], abs=1e-9)
    elif old.nunique() <= drift.BINS and set(new) <= set(old):
        assert found.psi == pytest.approx(kept["psi"], abs=1e-9)
    else:
        values = sorted(set(old) | set(new))
        counts = [np.array([float((side == v).sum()) for v in values]) for side in (old, new)]
        assert drift.psi(*counts) == pytest.approx(kept["psi"], abs=1e-9)


@pytest.mark.parametrize("name", CATEGORIES)
def test_categories(name: str) -> None:
    old, new = sides(name)
    kept, found = KEPT["figures"][name], drift.column_drift(old, new, drift.Limits(minimum_rows=1))
    assert found.psi == pytest.approx(kept["psi"], abs=1e-9)
    assert found.distance == pytest.approx(kept["distance"], abs=1e-12)
    kinds = sorted({*old, *new})
    before, after = (np.array([(side == kind).sum() for kind in kinds]) for side in (old, new))
    if len(kinds) == 1:
        assert (found.p_value, kept["chi_p"]) == (1.0, None)
        return
    with np.errstate(divide="ignore"):
        theirs = stats.chisquare(after, before * (len(new) / len(old))).pvalue
    assert theirs == pytest.approx(kept["chi_p"], rel=1e-6, abs=1e-15)
    wanted = stats.chi2_contingency(np.vstack([before, after]), correction=False).pvalue
    assert found.p_value == pytest.approx(wanted)


def test_a_known_reference_accuses_quiet_windows() -> None:
    """Why the test of equal shares: of 400 quiet windows evidently's would flag far more."""
    rng = np.random.default_rng(5)
    law = [0.6, 0.3, 0.1]
    tables = rng.multinomial(500, law, (400, 2))
    goodness = [stats.chisquare(new, old).pvalue < 0.05 for old, new in tables]
    ours = [drift._same_shares(table.astype(float)) < 0.05 for table in tables]
    assert np.mean(goodness) > 0.15
    assert np.mean(ours) < 0.09
