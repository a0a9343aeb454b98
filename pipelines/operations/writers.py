"""Columns that say who or what several rows come from: an author, a thread, a patient. Light.

Rows of one such source are alike; a split that parts them lets a model recognise the source
instead of learning the question.
"""

import re

# Names of such columns (own): whole words, split at _ - . and at capitals.
_SOURCES = """
    account artist author authors buyer client conversation customer dialog dialogue document
    employee family household member patient person poster reporter respondent reviewer seller
    sender session speaker student subject submitter thread ticket topic user username visitor
    writer
"""
SOURCES = frozenset(_SOURCES.split())
LEAST = 10  # sources; fewer are kinds rather than sources (own)
REPEAT = 1.3  # rows per source on average, from which parting them matters (own)
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def names_a_source(column: str) -> bool:
    """Whether a column's name is that of a source of rows."""
    return any(part.lower() in SOURCES for part in _PARTS.findall(column))


def looks_like_source(column: str, *, distinct: int, filled: int) -> bool:
    """Whether a column names sources that several rows share."""
    return names_a_source(column) and distinct >= LEAST and filled >= REPEAT * distinct
