"""Which columns hold prose: sentences or titles, to be read word by word."""

from collections.abc import Sequence

import pandas as pd

from pipelines.operations.learning.words import words
from pipelines.operations.tables import column_type

WORDS = 2.5  # words of a text on average; names have one or two (own)
DISTINCT = 0.05  # different texts per row from which they are no categories (own)
LOOKED = 1_000  # cells looked at, at most


def mean_words(texts: Sequence[str]) -> float:
    """Words of a text on average; 0 for no texts."""
    return sum(len(words(text)) for text in texts) / len(texts) if texts else 0.0


def is_prose(*, kind: str, mean: float, distinct: int, filled: int) -> bool:
    """Whether a column of that type, so many words and values holds prose."""
    return kind == "text" and mean >= WORDS and distinct > DISTINCT * filled


def looks_like_prose(values: pd.Series) -> bool:
    """Whether a column of a table holds prose; looks at cells spread over it."""
    known = values.dropna()
    if known.empty or column_type(values) != "text" or not isinstance(known.iloc[0], str):
        return False
    looked = known.iloc[:: -(-len(known) // LOOKED)].astype(str).tolist()
    mean = mean_words(looked)
    return is_prose(kind="text", mean=mean, distinct=int(known.nunique()), filled=len(known))
