"""What an attempt wrote down of its trials, so that the next one goes on where it died.

One file per trial, written whole or not at all. A trial is taken over only where its settings and
rows are those that would be tried now: else it is computed again.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.operations.contract import Json


@dataclass(frozen=True)
class Measured:
    """Scores of one set of parameters by fold, or why there are none; seconds it took."""

    folds: tuple[float, ...]
    problem: str
    seconds: float
    taken_over: bool = False


class Journal:
    """The folder of notes; without one nothing is found and nothing written."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def find(self, name: str, settings: Mapping[str, Json], rows: int) -> Measured | None:
        """What was measured for exactly this trial; None where it is not known."""
        try:
            note = json.loads((self._place(name)).read_text(encoding="utf-8"))
            folds = tuple(float(value) for value in note["folds"])
            found = Measured(folds, str(note["problem"]), float(note["seconds"]), taken_over=True)
            same = note["settings"] == dict(settings) and note["rows"] == rows
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if same else None

    def write(self, name: str, settings: Mapping[str, Json], rows: int, measured: Measured) -> None:
        """Note a trial; where there is no room, the search goes on without."""
        if self.folder is None:
            return
        note = {
            "settings": dict(settings),
            "rows": rows,
            "folds": _plain(measured.folds),
            "problem": measured.problem,
            "seconds": measured.seconds,
        }
        place = self._place(name)
        draft = place.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(note), encoding="utf-8")
            draft.replace(place)

    def _place(self, name: str) -> Path:
        if self.folder is None:
            raise FileNotFoundError(name)
        return self.folder / f"{name}.json"


def _plain(values: Sequence[float]) -> list[float]:
    return [float(value) for value in values]
