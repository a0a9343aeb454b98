"""Stretches of a series that are an earlier stretch, value by value: gaps filled with a copy, or
rows to decide on that are rows to learn from. Seasons repeat; noise does not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json, finite
from pipelines.operations.tables import plain

LENGTH = 21  # steps of the shortest stretch that is looked for: three weeks of days (own)
# How rare its values have to be together, in nats. Where the season leaves a value 1.2 nats of
# freedom, a stretch keeps 25: among 500 equal places of a season it recurs once in e^13 (own).
SURPRISE = 60.0
BASE = np.uint64(0x9E3779B97F4A7C15)  # of the rolling sum that finds equal stretches, modulo 2^64


def copied_steps(whole: pd.DataFrame, groups: list[str], value: str, moment: str) -> Json:
    """How many steps lie in such stretches, and where the longest one is; steps are in order."""
    steps, longest = 0, (0, None, None, None)
    parts = [part for _, part in whole.groupby(groups, sort=False)] if groups else [whole]
    for part in parts:
        again, first = _again(part[value].to_numpy(dtype=np.float64))
        steps += int(again.sum())
        length, end = _longest_run(again)
        if length > longest[0]:
            begin = end - length
            at = part[moment]
            longest = (length, at.iloc[begin], at.iloc[end - 1], at.iloc[int(first[begin])])
    length, begin_at, end_at, of = longest
    return {
        "steps": steps,
        "share": finite(steps / len(whole), 6) if len(whole) else None,
        "longest": length,
        "from": plain(begin_at),
        "to": plain(end_at),
        "of": plain(of),
    }


def _again(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which steps repeat an earlier stretch, and for its begin the step that it repeats."""
    covered, first = np.zeros(values.size, dtype=bool), np.full(values.size, -1)
    if values.size < 2 * LENGTH:
        return covered, first
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    windows = np.lib.stride_tricks.sliding_window_view(codes, LENGTH)
    rare = -np.log(counts[codes] / values.size)
    surprise = np.convolve(rare, np.ones(LENGTH), mode="valid")
    sums = np.zeros(len(windows), dtype=np.uint64)
    for place in range(LENGTH):
        sums = sums * BASE + windows[:, place].astype(np.uint64)
    _, index, inverse = np.unique(sums, return_index=True, return_inverse=True)
    earlier = index[inverse]
    here = np.arange(len(windows))
    found = here[(earlier + LENGTH <= here) & (surprise >= SURPRISE)]
    found = found[(windows[found] == windows[earlier[found]]).all(axis=1)]
    first[found] = earlier[found]
    for place in range(LENGTH):
        covered[found + place] = True
    return covered, first


def _longest_run(marked: np.ndarray) -> tuple[int, int]:
    """Length and end (exclusive) of the longest run of marked steps."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(np.int8), [0]])))
    lengths = edges[1::2] - edges[::2]
    if not lengths.size:
        return 0, 0
    at = int(lengths.argmax())
    return int(lengths[at]), int(edges[1::2][at])
