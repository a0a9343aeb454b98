"""Which columns of an upload hold prose: sentences or titles, to be read word by word."""

from collections.abc import Sequence

import pyarrow as pa

from pipelines.operations.learning.words import words

PER_CHUNK = 50  # texts looked at in each chunk of the file, spread over it
MOST = 400  # of a column
PROSE_WORDS = 2.5  # words of a text on average, as `build_features` has it (own)
PROSE_DISTINCT = 0.05  # different texts per row from which they are no categories (own)


def sampled(values: pa.Array) -> list[str]:
    """Some of the different texts of a chunk, spread over it."""
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return []
    step = max(1, len(values) // PER_CHUNK)
    return [str(value) for value in values.take(pa.array(range(0, len(values), step))).to_pylist()]


def mean_words(texts: Sequence[str]) -> float:
    """Words of a text on average; 0 for no texts."""
    return sum(len(words(text)) for text in texts) / len(texts) if texts else 0.0


def is_prose(*, kind: str, mean: float, distinct: int, filled: int) -> bool:
    """Whether a column of texts holds prose."""
    return kind == "text" and mean >= PROSE_WORDS and distinct > PROSE_DISTINCT * filled
