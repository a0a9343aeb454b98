"""PostgreSQL is killed between a claim, which waits for no disk, and what follows. F7."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import prepared

ROOT = Path(__file__).resolve().parents[2]
PLAY = "import django; django.setup(); from tests.faults.crash import tell; tell()"
pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(240)]


def test_a_crash_between_a_claim_and_its_work_doubles_nothing(tmp_path: Path) -> None:
    var = tmp_path / "var"
    prepared.fill(var)
    # Not the tests' settings: those name the tests' servers, which `down` would stop.
    owner = prepared.outside(var, BATON_DB_ROLE="owner")
    try:
        done = subprocess.run(
            [sys.executable, "-c", PLAY],
            cwd=ROOT, env=owner,
            capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
    finally:
        subprocess.run(
            [sys.executable, "manage.py", "down"],
            cwd=ROOT, env=owner, capture_output=True,
            timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == {
        "before the crash": "RUNNING",
        # The window is real: nobody waited for the disk, and the token is given out anew.
        "an ordinary claim after it": "QUEUED",
        "same attempt, same token": True,
        # Owners differ by lane, or the first would have taken the second's lease for its own.
        "heartbeat of the first lane": None,
        "result of the first lane": "fenced",
        "heartbeat of the second lane": False,
        "result of the second lane": "accepted",
        # What must not be done twice had its claim on the disk before it began ...
        "an intended claim after it": "RUNNING",
        "somebody else's claim": False,
        # ... and does not begin where it had not.
        "intends after its claim was undone": "fenced",
    }
