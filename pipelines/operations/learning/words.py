"""Words of a text, in every script: what a model of texts counts. Light, no numeric library.

A word is a run of letters, digits and their marks, at least two long. Scripts that put no
space between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) count by character, so that
pairs of neighbours are character bigrams, as the field does where no dictionary is at hand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

MAX_TEXT = 20_000  # characters read of one cell; the rest of a longer one is left out (own)
MAX_WORD = 40  # characters kept of one word: what is longer is no word of a language (own)
# Blocks without spaces between words (Unicode): Thai to Lao, Burmese, Khmer, kana, CJK, width.
SOLID = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
)
# English function words: a text of these alone says nothing about its subject (own list).
_STOP_WORDS = """
    a about above after again all also am an and any are as at be because been before being below
    between both but by can could did do does doing down during each few for from further had has
    have having he her here hers him his how i if in into is it its itself just me more most my
    no nor not now of off on once only or other our ours out over own same she should so some
    such than that the their theirs them then there these they this those through to too under
    until up very was we were what when where which while who whom why will with would you your
    yours
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


def read(text: str) -> str:
    """The part of a text that is read, in one form: NFKC, lower case."""
    return unicodedata.normalize("NFKC", text[:MAX_TEXT]).lower()


def words(text: str) -> list[str]:
    """The words of a text in order; long ones cut to MAX_WORD characters."""
    solid = _solid().match
    return [
        word[:MAX_WORD] for word in _pattern().findall(read(text)) if len(word) > 1 or solid(word)
    ]


def terms(text: str) -> list[str]:
    """Words, then pairs of neighbours joined by a space."""
    found = words(text)
    return found + [f"{first} {second}" for first, second in pairwise(found)]


def only_stop_words(found: Sequence[str]) -> bool:
    """Whether there are words and all of them are function words."""
    return bool(found) and all(word in STOP_WORDS for word in found)


@cache
def _pattern() -> re.Pattern[str]:
    # Python's \w leaves out combining marks, which would cut Hindi or Arabic words in pieces.
    marks = "".join(
        re.escape(chr(code))
        for code in range(0x0300, 0x1E00)
        if unicodedata.category(chr(code)) in ("Mn", "Mc")
    )
    letters = rf"[^\W{SOLID}]"
    return re.compile(rf"[{SOLID}]|{letters}+(?:[{marks}]+{letters}*)*")


@cache
def _solid() -> re.Pattern[str]:
    return re.compile(f"[{SOLID}]")
