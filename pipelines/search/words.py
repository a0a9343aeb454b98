"""What somebody asks, as words; a found text with the words marked. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 200  # characters that are looked at
MOST: Final = 8  # words that are looked for
LONGEST_WORD: Final = 60
EXCERPT: Final = 170  # characters of a longer text
_WORD: Final = re.compile(r"[^\W_]+")
_UNSEEN: Final = {"Cc", "Cf", "Cs", "Co"}  # controls, bidi marks, halves of characters
_ENDING: Final = 3  # letters that a word of the query may have more than the one found


@dataclass(frozen=True)
class Asked:
    """The words of a query, and whether some of it was left out."""

    words: tuple[str, ...]
    cut: bool = False


@dataclass(frozen=True)
class Piece:
    """A part of a text; marked where it is what was looked for."""

    text: str
    marked: bool = False


def ask(text: str) -> Asked:
    """Return the words of a query: letters and digits only, so no syntax of it means anything."""
    # Twice the length first: a flood is not normalised.
    given = unicodedata.normalize("NFC", text[: 2 * LONGEST])
    seen = "".join(c for c in given if unicodedata.category(c) not in _UNSEEN or c in "\t\n")
    found = [word.lower()[:LONGEST_WORD] for word in _WORD.findall(seen[:LONGEST])]
    unique = tuple(dict.fromkeys(found))
    return Asked(unique[:MOST], cut=len(text) > LONGEST or len(unique) > MOST)


def is_prefix(word: str) -> bool:
    """Whether a word stands for all that begin with it: numbers and single letters do not."""
    return len(word) > 1 and not word.isdecimal()


def mark(text: str, words: Sequence[str]) -> tuple[Piece, ...]:
    """Return the text in pieces, those marked that a word of the query found."""
    pieces: list[Piece] = []
    at = 0
    for found in _WORD.finditer(text):
        if not any(_finds(word, found.group().lower()) for word in words):
            continue
        if found.start() > at:
            pieces.append(Piece(text[at : found.start()]))
        pieces.append(Piece(found.group(), marked=True))
        at = found.end()
    if at < len(text):
        pieces.append(Piece(text[at:]))
    return tuple(pieces)


def _finds(asked: str, word: str) -> bool:
    if asked == word or (is_prefix(asked) and word.startswith(asked)):
        return True
    # "flights" finds "flight": what the stems of English have in common, nearly.
    longer = len(asked) - len(word)
    return len(word) > 3 and 0 < longer <= _ENDING and asked.startswith(word)


def excerpt(text: str, words: Sequence[str], *, most: int = EXCERPT) -> str:
    """Return as much of a text as one line holds, around the first word that was found."""
    flat = " ".join(text.split())
    if len(flat) <= most:
        return flat
    first = next(
        (
            found.start()
            for found in _WORD.finditer(flat)
            if any(_finds(word, found.group().lower()) for word in words)
        ),
        0,
    )
    start = max(0, min(first - most // 3, len(flat) - most))
    before, after = "…" if start else "", "…" if start + most < len(flat) else ""
    return f"{before}{flat[start : start + most]}{after}"
