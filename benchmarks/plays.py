"""How long each play of a blueprint takes, and the memory of its heaviest child; prints JSON lines.

    python -m benchmarks.plays [file of tests/flows...]

The plays are the long flow tests: seven people over REST on real data, to the last stage that each
reaches. Wall time is that of the play alone, without starting the servers. Bars: 90 s, 1.5 GB.
"""

import os
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.flights import machine, say

FOLDER = Path(__file__).resolve().parents[1] / "tests/flows"
PLAYS = ("lifecycle", "regression", "forecasting", "clustering", "anomalies", "texts")


class Watch:
    """Times each `played` fixture, then reads what its attempts used."""

    def __init__(self) -> None:
        self.seen: set[int] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        """Say what a play took."""
        if fixturedef.argname != "played":
            return (yield)
        desk = request.getfixturevalue("baton").desks["OPS"]
        began = time.perf_counter()
        result = yield
        wall = time.perf_counter() - began
        runs = [run for run in desk.all("runs") if run["id"] not in self.seen]
        self.seen |= {run["id"] for run in runs}
        used = [a for run in runs for a in desk.all(f"runs/{run['id']}/attempts") if a["usage"]]
        heaviest = max(used, key=lambda attempt: attempt["usage"].get("peak_mib", 0))
        say(
            play=request.module.__name__.rpartition("test_")[2],
            wall=round(wall, 1),
            blueprints=sorted({run["blueprint"] for run in runs}),
            runs=len(runs),
            attempts=len(used),
            computed_seconds=round(sum(a["usage"].get("wall_seconds", 0) for a in used), 1),
            peak_mib=heaviest["usage"].get("peak_mib"),
            peak_of=desk.get(f"steps/{heaviest['step']}")["operation"],
        )
        return result


def main(wanted: list[str]) -> int:
    """Play them one after the other."""
    os.environ["BATON_LONG"] = "1"
    say(machine=machine())
    files = [str(FOLDER / f"test_{name}.py") for name in wanted or PLAYS]
    return pytest.main(["-q", "-s", "-p", "no:cacheprovider", *files], plugins=[Watch()])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
