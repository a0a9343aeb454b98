"""One row over HTTP against the bare predict_proba of the same row; prints JSON lines.

    python -m benchmarks.prediction [rows to train on]

Starts embedded servers and a prediction process of its own in a temporary folder; beside it the
same model under `mlflow models serve`, where mlflow can be installed. Bar: at most 3 ms above the
bare call, and never slower than mlflow.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="baton-benchmark-"))
ROOT = Path(__file__).resolve().parents[1]
os.environ |= {
    "BATON_VAR": str(FOLDER), "BATON_DB_ROLE": "owner", "DJANGO_SETTINGS_MODULE": "portal.settings",
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
}  # fmt: skip

import django  # noqa: E402
import httpx  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402

from benchmarks.flights import machine, say  # noqa: E402
from benchmarks.mlflow_serve import Absent, serving  # noqa: E402
from personas.actions import issue_token  # noqa: E402
from personas.ledger import ENGINE  # noqa: E402
from pipelines.operations.contract import Context, Json, clean_params  # noqa: E402
from pipelines.operations.learning import store  # noqa: E402
from pipelines.operations.learning.candidates import about_model  # noqa: E402
from pipelines.operations.learning.definition import FeatureColumn, FeatureSet  # noqa: E402
from pipelines.operations.learning.families import build, encode, whole  # noqa: E402
from pipelines.operations.package_model.compute import run as package  # noqa: E402
from pipelines.operations.package_model.spec import SPEC  # noqa: E402
from pipelines.operations.packages.example import Packaged  # noqa: E402
from pipelines.operations.packages.loaded import load_package, plain_rows  # noqa: E402
from pipelines.operations.tables import write_table  # noqa: E402
from portal import embedded  # noqa: E402
from portal.demo.flights import package_folder  # noqa: E402
from tests.release import cause, gate_of, person, release  # noqa: E402

CALLS = 400
BATCH, BATCHES = 500, 20
CATEGORIES = {
    "carrier": "category",
    "origin": "category",
    "dest": "category",
    "tailnum": "many_categories",
}
NUMBERS = ("month", "day", "sched_dep_time", "sched_arr_time", "distance", "hour")


def flights(rows: int) -> pd.DataFrame:
    """Real flights with their lateness, in order of time."""
    frame = pd.read_csv(package_folder() / "flights.csv.zip").dropna(subset=["arr_delay"])
    frame["late"] = (frame["arr_delay"] > 15).astype("int64")
    frame["time_hour"] = pd.to_datetime(frame["time_hour"], utc=True)
    return frame.sample(min(rows, len(frame)), random_state=1).sort_values("time_hour")


def make_package(frame: pd.DataFrame) -> tuple[Path, Path]:
    """A package of a boosting model of 200 trees, and its holdout."""
    columns = tuple(
        FeatureColumn(name, "number", str(frame[name].dtype)) for name in NUMBERS
    ) + tuple(
        FeatureColumn(name, role, "str", categories=tuple(sorted(frame[name].dropna().unique())))  # type: ignore[arg-type]
        for name, role in CATEGORIES.items()
    )
    features = FeatureSet("late", (0, 1), columns, (), "time_hour")
    cut = len(frame) * 3 // 4
    encoder, matrix = encode(features, frame.iloc[:cut], field="train")
    settings: dict[str, Json] = {"max_iter": 200}
    model = build("boosting", features, settings, 1)
    model.fit(matrix, frame["late"].iloc[:cut])
    about = about_model(features, family="boosting", settings=settings, seed=1)
    file = store.dump(whole(encoder, model), FOLDER / "model.skops", about)
    holdout = write_table(frame.iloc[cut:], FOLDER / "holdout.parquet")
    params = clean_params(SPEC, {"threshold": 0.4})
    given = {"candidate": file, "holdout": holdout}
    made = package(Context(spec=SPEC, folder=FOLDER, inputs=given, params=params))
    return made.outputs["package"], holdout


def timed(name: str, call: Callable[[int], object], calls: int = CALLS) -> float:
    """Print the percentiles of so many calls; return the median in ms."""
    for index in range(20):
        call(index)
    spent = []
    for index in range(calls):
        started = time.perf_counter()
        call(index)
        spent.append(1000 * (time.perf_counter() - started))
    p50, p95, p99 = (round(float(x), 3) for x in np.percentile(spent, (50, 95, 99)))
    figures = {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "calls": calls}
    say(benchmark="prediction", what=name, **figures, **machine())
    return p50


def speed(name: str, call: Callable[[int], object], rows: int) -> float:
    """Print rows a second of one caller who sends batches."""
    call(0)
    started = time.perf_counter()
    for index in range(BATCHES):
        call(index)
    found = round(BATCHES * rows / (time.perf_counter() - started))
    say(benchmark="prediction", what=name, rows_per_second=found, batch=rows, **machine())
    return found


def deploy(path: Path, holdout: Path) -> str:
    """Register, approve and deploy the package; returns a token's secret."""
    made = release(made=Packaged(path, path, holdout))
    cause("go_live", made.run, gate=gate_of(made.run, "deploy"))
    user = person("Cleo", use_case=made.case, persona="SWE")
    _, secret = issue_token(
        actor=ENGINE, user=user, name="b", scopes=["predict"], lifetime=timedelta(hours=1)
    )
    return secret


def serve(port: int) -> "subprocess.Popen[bytes]":
    """A prediction process that answers."""
    child = subprocess.Popen(
        [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1", "--no-ws",
         "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning",
         "portal.serve.app:app"],
        cwd=ROOT, env=os.environ | {"BATON_DB_ROLE": "application"},
    )  # fmt: skip
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/v2/health/ready").status_code == 200:
                return child
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the prediction process does not answer")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def baton(path: Path, holdout: Path, rows: list[dict[str, Json]]) -> tuple[float, float]:
    """Ask Baton over HTTP: ms for one row (median), rows a second in batches."""
    hold = embedded.ensure_configured()
    call_command("migrate", verbosity=0)
    secret, port = deploy(path, holdout), free_port()
    child = serve(port)
    headers = {"Authorization": f"Bearer {secret}"}
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as http:
            address = "/v1/models/late-journeys/predict"

            def ask(index: int) -> None:
                one = {"rows": [rows[index % len(rows)]]}
                http.post(address, json=one).raise_for_status()

            many = {"rows": (rows * 3)[:BATCH]}
            one = timed("Baton, one row over HTTP", ask)
            return one, speed(
                "Baton, batches over HTTP",
                lambda _: http.post(address, json=many).raise_for_status(),
                BATCH,
            )
    finally:
        child.terminate()
        child.wait(15)
        if hold is not None:
            hold.release()


def mlflow(rows: list[dict[str, Json]]) -> tuple[float, float] | None:
    """Ask `mlflow models serve` the same; None where mlflow cannot be had."""
    port = free_port()
    try:
        with (
            serving(FOLDER / "model.skops", FOLDER, port) as which,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http,
        ):

            def ask(index: int) -> None:
                one = {"dataframe_records": [rows[index % len(rows)]]}
                http.post("/invocations", json=one).raise_for_status()

            many = {"dataframe_records": (rows * 3)[:BATCH]}
            one = timed(f"mlflow {which} models serve, one row over HTTP", ask)
            return one, speed(
                f"mlflow {which} models serve, batches over HTTP",
                lambda _: http.post("/invocations", json=many).raise_for_status(),
                BATCH,
            )
    except Absent as reason:
        say(benchmark="prediction", what="mlflow models serve", skipped=str(reason))
        return None


def main() -> None:
    """Measure and print."""
    try:
        frame = flights(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
        path, holdout = make_package(frame)
        loaded = load_package(path)
        rows = plain_rows(pd.read_parquet(holdout).iloc[:200], loaded.signature)
        frames = [pd.DataFrame([row]) for row in rows]
        bare = timed(
            "bare predict_proba of the pipeline", lambda i: loaded.score_frame(frames[i % 200])
        )
        timed("in the process, as Baton serves it", lambda i: loaded.predict([rows[i % 200]]))
        served, in_batches = baton(path, holdout, rows)
        beside = mlflow(rows)
        above = round(served - bare, 3)
        never_slower = beside and (served <= beside[0] and in_batches >= beside[1])
        say(
            benchmark="prediction", what="HTTP above bare", ms=above, bar_ms=3, met=above <= 3,
            never_slower_than_mlflow=never_slower,
        )  # fmt: skip
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)


if __name__ == "__main__":
    main()
