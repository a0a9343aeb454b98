"""The list of ways to break the engine names tests that exist."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
LIST = TESTS.parent / "docs" / "acceptance" / "engine.md"
SHORT = {"f/": "faults/", "d/": "domain/"}
FILE = re.compile(r"`((?:f|d|api|contracts|unit)/\w+\.py)(?:::(\w+)(?:\[[^`]*\])?)?`|`::(\w+)`")


def named() -> list[tuple[str, str]]:
    """Every (file, test) of the list, row by row."""
    found = []
    for line in LIST.read_text(encoding="utf-8").splitlines():
        file = ""
        for match in FILE.finditer(line):
            file = match[1] or file
            found.append((file, match[2] or match[3] or ""))
    return found


def test_there_are_sixty_ways_and_each_names_its_test() -> None:
    rows = [line for line in LIST.read_text(encoding="utf-8").splitlines() if line[:3] != "| #"]
    rows = [line for line in rows if re.match(r"\| \d+ \|", line)]
    assert len(rows) >= 60
    silent = [row for row in rows if "`" not in row.split("|")[4] and "not yet" not in row]
    assert [row for row in silent if "the same" not in row] == []


def test_every_test_that_is_named_is_there() -> None:
    missing = []
    for file, name in named():
        path = TESTS / re.sub(r"^[fd]/", lambda m: SHORT[m[0]], file)
        if not path.exists() or (name and f"def {name}(" not in path.read_text(encoding="utf-8")):
            missing.append(f"{file}::{name}")
    assert len(named()) > 60
    assert missing == []
