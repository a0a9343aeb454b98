"""Run one of our modules in a clean interpreter: no state of this process, one thread."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pipelines.operations.contract import Json, OperationError

ROOT = Path(__file__).resolve().parents[2]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
TAIL = 2000  # characters of the other interpreter's errors kept


def run_clean(module: str, request: dict[str, Json], *, seconds: float) -> dict[str, Json]:
    """Send JSON to `python -m module`, get JSON back.

    Raises OperationError where it fails, overruns or answers no object.
    """
    environment = dict.fromkeys(THREADS, "1")
    environment |= {"PATH": os.defpath, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-s", "-W", "ignore", "-m", module]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=seconds,
            env=environment,
            cwd=ROOT,
            check=False,
        )
    except subprocess.TimeoutExpired as problem:
        raise OperationError(
            "clean_run_too_slow", f"{module} took more than {seconds:g} s",
            field="seconds", value=seconds, rule="ends in time",
        ) from problem  # fmt: skip
    if done.returncode != 0:
        raise OperationError(
            "clean_run_failed", f"{module} failed: {done.stderr.decode(errors='replace')[-TAIL:]}",
            field="process", value=done.returncode, rule="ends with status 0",
        )  # fmt: skip
    answer: Json = json.loads(done.stdout)
    if not isinstance(answer, dict):
        raise OperationError("clean_run_failed", f"{module} answered no object")
    return answer
