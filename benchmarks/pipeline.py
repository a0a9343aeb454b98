"""The whole flights pipeline through the engine against one plain script; prints JSON lines.

    python -m benchmarks.pipeline [rounds]

S1 to S6 on all rows of January to October, with one lane and people who act at once, against the
same operations called one after another in one process. Bars: wall <= 1.15, peak memory <= 1.3.
On a machine that does other things as well, look at `overhead_seconds` (what passed outside the
operations) and at the seconds of computing (`cpu`) rather than at the wall clock.
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import people  # before anything of Django, which it sets up
from benchmarks.flights import SEED, machine, say
from pipelines.runs.models import Attempt

WALL_BAR, MEMORY_BAR = 1.15, 1.3


def plain(tables: Path, number: int) -> dict[str, Any]:
    """Run the plain script in a process of its own."""
    folder = people.FOLDER / f"plain-{number}"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.flights", str(folder), str(tables), str(number)],
        cwd=people.ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    shutil.rmtree(folder)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def engine(tables: Path, number: int) -> dict[str, Any]:
    """Carry a run through the same stages; a seed of its own keeps the cache out of it."""
    carrying = people.Carrying(tables)
    try:
        carrying.warm()
        before, began = carrying.cpu(), time.perf_counter()
        run = carrying.start(seed=SEED + number)
        carrying.carry(run, to="register")
        wall = time.perf_counter() - began
        cpu = carrying.cpu() - before
    finally:
        carrying.close()
    attempts = list(Attempt.objects.filter(run=run, cached_from=None).order_by("id"))
    computed = sum(attempt.usage["wall_seconds"] for attempt in attempts)
    return {
        "wall": round(wall, 2),
        "cpu": round(cpu, 2),
        "peak_mib": max(attempt.usage["peak_mib"] for attempt in attempts),
        "operations_seconds": round(computed, 2),
        "people_seconds": round(carrying.people_seconds, 2),
        "overhead_seconds": round(wall - computed, 2),
        "attempts": len(attempts),
        "served_from_cache": Attempt.objects.filter(run=run).exclude(cached_from=None).count(),
    }


def main(rounds: int) -> None:
    """Print a line for each round, and one with the ratios of the best of each."""
    hold = people.begin()
    try:
        tables = people.tables()
        plains, engines = [], []
        for number in range(rounds):
            plains.append(plain(tables, number))
            say(benchmark="pipeline", way="plain script", **plains[-1], **machine())
            engines.append(engine(tables, number))
            say(benchmark="pipeline", way="engine", **engines[-1], **machine())
        script, through = (min(r["wall"] for r in found) for found in (plains, engines))
        small, large = (min(r["peak_mib"] for r in found) for found in (plains, engines))
        share = min(r["overhead_seconds"] / r["operations_seconds"] for r in engines)
        say(
            benchmark="pipeline",
            wall_ratio=round(through / script, 3),
            cpu_ratio=round(min(r["cpu"] for r in engines) / min(r["cpu"] for r in plains), 3),
            overhead_share=round(share, 3),
            memory_ratio=round(large / small, 3),
            wall_bar=WALL_BAR,
            memory_bar=MEMORY_BAR,
            met=through / script <= WALL_BAR and large / small <= MEMORY_BAR,
        )
    finally:
        if hold is not None:
            hold.release()
        shutil.rmtree(people.FOLDER, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
