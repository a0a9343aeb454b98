"""`mlflow models serve` on the same model, in a throw-away environment made at run time.

mlflow is no part of Baton: it is installed from the package index into a folder that is deleted
afterwards, at the versions of scikit-learn, pandas, numpy and skops that Baton runs on.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
SAME = ("scikit-learn", "pandas", "numpy", "skops")  # what scores; mlflow chooses the rest
INSTALL_SECONDS, START_SECONDS = 600, 120
# Loads the very model file and hands it to mlflow, which then serves its probabilities.
SAVE = """
import sys, mlflow.sklearn
from pipelines.operations.learning import store
from pathlib import Path
model = store.load(Path(sys.argv[1]))
mlflow.sklearn.save_model(
    model, sys.argv[2], pyfunc_predict_fn="predict_proba", serialization_format="cloudpickle"
)
print(mlflow.__version__)
"""


class Absent(Exception):
    """mlflow cannot be had here; the message says why."""


@contextmanager
def serving(model: Path, folder: Path, port: int) -> Iterator[str]:
    """Serve the model by mlflow on a port; gives mlflow's version. Raises Absent."""
    place = folder / "mlflow"
    environment = {
        **os.environ,
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(ROOT),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }
    try:
        _install(place)
        saved = folder / "mlflow-model"
        which = _run([str(place / "bin/python"), "-W", "ignore", "-c", SAVE, str(model),
                      str(saved)], environment, folder)  # fmt: skip
        server = subprocess.Popen(
            [str(place / "bin/mlflow"), "models", "serve", "-m", str(saved), "-p", str(port),
             "--env-manager", "local", "--host", "127.0.0.1"],
            cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            _wait(server, port)
            yield which.strip()
        finally:
            os.killpg(server.pid, 15)
            server.wait(20)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _install(place: Path) -> None:
    same = [f"{name}=={version(name)}" for name in SAME]
    _run([sys.executable, "-m", "venv", str(place)], dict(os.environ), ROOT)
    python, uv = str(place / "bin/python"), Path(sys.executable).with_name("uv")
    if uv.exists():
        command = [str(uv), "pip", "install", "--quiet", "--python", python]
    else:
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*command, "mlflow", *same], dict(os.environ), ROOT)


def _run(command: list[str], environment: dict[str, str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False,
            timeout=INSTALL_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Absent(f"{command[0]}: {problem}") from problem
    if done.returncode:
        raise Absent(f"{Path(command[0]).name} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/ping", timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise Absent("mlflow models serve does not answer")
