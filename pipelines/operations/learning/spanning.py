"""Forward in time and groups apart: what happens to groups with rows on both sides of a moment.

A model that is asked about new groups at a later time is only judged fairly by rows that are both.
Rows of a group on both sides make it look better (it has met the group), and so would later rows
in training. Neither rule can be given up for the other, so rows are: a share of the groups that
span the moment is drawn to decide, and their earlier rows are left out; the others train, and
their later rows are left out. Groups on one side only stay whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipelines.operations.learning.resampling import Blocks

Mask = npt.NDArray[np.bool_]
SHARE = 0.3  # of the spanning groups decide (own): most rows train, some of each time decide


def spanning(codes: Blocks, early: Mask) -> Blocks:
    """The groups with rows before and after."""
    return np.intersect1d(codes[early], codes[~early]).astype(np.int64)


def kept_apart(
    codes: Blocks, early: Mask, *, seed: int | Sequence[int], share: float = SHARE
) -> Mask:
    """Rows that stay, so that no group is on both sides; all of them where that cannot be.

    It cannot where a side would be empty: one group that spans and none beside it.
    """
    both = spanning(codes, early)
    if not both.size:
        return np.ones(codes.size, dtype=bool)
    drawn = [seed] if isinstance(seed, int) else list(seed)
    order = np.random.default_rng([*drawn, 4]).permutation(both)
    count = min(max(1, round(share * both.size)), max(1, both.size - 1))
    decide, train = order[:count], order[count:]
    if both.size == 1 and np.setdiff1d(codes[early], both).size:
        decide, train = order, order[:0]  # other groups train: this one decides
    elif both.size == 1:
        decide, train = order[:0], order
    dropped = (early & np.isin(codes, decide)) | (~early & np.isin(codes, train))
    kept: Mask = ~dropped
    if not (kept & early).any() or not (kept & ~early).any():
        return np.ones(codes.size, dtype=bool)
    return kept
