"""What each worry means to each persona, in that persona's words. Data: meaning.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

PERSONAS = ("BA", "DE", "DS", "MLR", "MLE", "SWE", "OPS")


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    path = Path(__file__).with_name("meaning.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def meaning(worry: str) -> Mapping[str, str]:
    """One sentence per persona code; raises KeyError for an unknown worry."""
    row = _table()[worry]
    return {code: row[code] for code in PERSONAS}


def what_to_do(worry: str) -> str:
    """What to do about it, whoever reads."""
    return _table()[worry]["do"]
