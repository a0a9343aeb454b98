"""F7 and the whole: a short chaos, in which PostgreSQL dies again and again under load."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import prepared
from tests.long import only_long

ROOT = Path(__file__).resolve().parents[2]
PROOFS = {
    "every fault that was thrown struck",
    "every wish fulfilled once",
    "every run reached its end",
    "nothing open in what has ended",
    "one success a step",
    "one closing a gate",
    "one decision a person",
    "one event a success",
    "no failure but those that were asked for",
    "content is what its name says",
    "the ledger verifies",
    "replay gives the present states",
    "manage.py verify is silent",
}


@pytest.mark.faults
@pytest.mark.slow
@only_long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "faults",
    ["postgres killed", "worker killed,worker stopped,child killed,engine killed,web killed"],
)
def test_f7_chaos_in_short(tmp_path: Path, faults: str) -> None:
    var = tmp_path / "var"
    prepared.fill(var)
    words = {"MINUTES": "0.4", "FAULTS": faults, "OUT": str(tmp_path), "OPEN_RUNS": "12"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos"],
        cwd=ROOT, env=prepared.outside(var, FOLDER=str(var), **words),
        capture_output=True, text=True, timeout=550, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    held = {line["what"] for line in lines if line.get("holds")}
    assert held >= PROOFS
    struck = next(line for line in lines if line["what"] == "faults")
    assert struck["count"] >= 3
    load = next(line for line in lines if line["what"] == "load")
    assert load["runs"]["SUCCEEDED"] >= 5
    assert (tmp_path / "chaos.svg").read_text().startswith("<svg")
