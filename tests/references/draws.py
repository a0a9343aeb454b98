"""What the comparisons draw: plain tables and nasty ones."""

import numpy as np
import numpy.typing as npt
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.long import at_length

Floats = npt.NDArray[np.float64]

usual = settings(deadline=None, max_examples=at_length(40, else_=15))
few = settings(deadline=None, max_examples=at_length(15, else_=8))


def whole(
    size: int | tuple[int, int], low: int, high: int
) -> st.SearchStrategy[npt.NDArray[np.int64]]:
    """Whole numbers from `low` to `high`: as Hypothesis likes them, mostly alike, or by chance."""
    by_chance = st.integers(0, 2**32).map(
        lambda seed: np.random.default_rng(seed).integers(low, high + 1, size)
    )
    return st.one_of(arrays(np.int64, size, elements=st.integers(low, high)), by_chance)


p_values = st.lists(
    st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0, 0.05, 1e-300, 0.05 / 3])),
    min_size=1,
    max_size=40,
)


@st.composite
def shares(draw: st.DrawFn, size: int) -> Floats:
    """Scores in [0, 1]: many ties, all the same, exact zeros and ones, or all different."""
    kind = draw(st.sampled_from(["ties", "same", "ends", "different"]))
    if kind == "same":
        return np.full(size, draw(st.sampled_from([0.0, 0.1, 0.5, 1.0])))
    if kind == "ends":
        grid = np.array([0.0, 5e-324, 1e-17, 0.5, 1 - 1e-16, 1.0])
        return grid[draw(whole(size, 0, grid.size - 1))]
    steps = draw(st.sampled_from([3, 10])) if kind == "ties" else 10**6
    found: Floats = draw(whole(size, 0, steps)) / steps
    return found


@st.composite
def codes(draw: st.DrawFn, size: int, classes: int) -> npt.NDArray[np.int64]:
    """A class for each row, all of them there; now and then all but one nearly empty."""
    found = draw(whole(size, 0, classes - 1))
    if draw(st.booleans()):
        found[:] = draw(st.integers(0, classes - 1))
    found[:classes] = np.arange(classes)
    return found


@st.composite
def weights(draw: st.DrawFn, size: int, sure: int) -> Floats:
    """Weights of rows from 0 to a thousand; the first `sure` are above 0."""
    found = draw(arrays(np.int64, size, elements=st.sampled_from([0, 1, 1, 2, 5, 1000])))
    found[:sure] = 1
    return found.astype(np.float64)


@st.composite
def judged(
    draw: st.DrawFn, least: int = 2, most: int = 60
) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """Scores, 0/1 labels of both kinds, and weights."""
    size = draw(st.integers(least, most))
    return draw(shares(size)), draw(codes(size, 2)), draw(weights(size, 2))


@st.composite
def judged_classes(
    draw: st.DrawFn, least: int = 5, most: int = 50
) -> tuple[Floats, npt.NDArray[np.int64], Floats]:
    """Probabilities of three or four classes (rows x classes), classes, and weights."""
    classes = draw(st.integers(3, 4))
    size = draw(st.integers(least, most))
    steps = draw(st.sampled_from([2, 5, 1000]))
    parts = draw(whole((size, classes), 0, steps)) + 0.0
    parts[parts.sum(axis=1) == 0] = 1.0
    scores = parts / parts.sum(axis=1, keepdims=True)
    return scores, draw(codes(size, classes)), draw(weights(size, classes))


@st.composite
def values(draw: st.DrawFn, least: int = 2, most: int = 60) -> Floats:
    """Numbers: few different, all different, the same, on a high level, or very large."""
    size = draw(st.integers(least, most))
    return draw(values_of(size))


@st.composite
def values_of(draw: st.DrawFn, size: int) -> Floats:
    """The same, so many."""
    steps = draw(st.sampled_from([0, 2, 9, 10**6]))
    plain = draw(whole(size, -steps, steps)) / 7
    level, scale = draw(st.sampled_from([(0.0, 1.0), (0.1, 0.0), (1e6, 1.0), (0.0, 1e100)]))
    found: Floats = level + scale * plain
    return found


@st.composite
def paired(draw: st.DrawFn, least: int = 2, most: int = 60) -> tuple[Floats, Floats]:
    """Two columns of numbers of one length."""
    size = draw(st.integers(least, most))
    return draw(values_of(size)), draw(values_of(size))
