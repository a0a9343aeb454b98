"""Runs in the clean process: opens the package and assigns anew; JSON in, JSON out."""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.assign_clusters.compute import assign
from pipelines.operations.clusters.files import Segments, open_segments
from pipelines.operations.clusters.package import (
    ASSIGNMENTS,
    ENVIRONMENT,
    MODEL,
    read_segments_package,
)
from pipelines.operations.contract import Json, OperationError
from pipelines.operations.learning.frames import column_names, read_columns
from pipelines.operations.packages import environment
from pipelines.operations.packages.archive import PackageError, load
from pipelines.operations.tables import write_table

MIB = 1024  # ru_maxrss counts KiB on Linux
WARM = 5  # rows assigned before timing starts
MADE = ("segment", "segment_name", "membership", "runner_up")  # what an assignment adds to its key


def main() -> None:
    """Read the request from standard input and answer on standard output."""
    json.dump(probe(json.load(sys.stdin)), sys.stdout, allow_nan=False)


def probe(request: Mapping[str, Json]) -> dict[str, Json]:
    """Everything that is tried; `loads` is False with the reason where it does not open."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=str(request["folder"])) as folder:
        try:
            _, entries = read_segments_package(Path(str(request["package"])))
            path = Path(folder) / "model.skops"
            path.write_bytes(entries[MODEL])
            model = open_segments(path, field="package")
        except (PackageError, OperationError) as problem:
            return {"loads": False, "code": problem.code, "message": problem.message}
        found: dict[str, Json] = {
            "loads": True,
            "environment_differences": list[Json](
                environment.differences(load(entries, ENVIRONMENT), environment.describe())
            ),
            "load_seconds": time.perf_counter() - started,
        }
        kept = pd.read_parquet(BytesIO(entries[ASSIGNMENTS])).iloc[: int(str(request["count"]))]
        found |= _assigned(model, kept, Path(str(request["rows"])), int(str(request["singles"])))
        if "rows" in found:
            found["bad_input"] = _bad_input(model, Path(str(request["rows"])), Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    found["memory_mib"] = int(-(-peak // 64) * 64)  # steps, so that equal packages are equal
    return found


def _assigned(model: Segments, kept: pd.DataFrame, path: Path, singles: int) -> dict[str, Json]:
    """The packed assignments against new ones; all together, and row by row."""
    key = next((name for name in kept.columns if name not in (*MADE, "row")), "")
    wanted = [*model.features.names, *([key] if key else [])]
    held = column_names(path, field="rows")
    absent = [name for name in wanted if name not in held]
    if absent:
        return {"schema_problems": [f"the rows have no column {name}" for name in absent]}
    frame = read_columns(path, wanted, field="rows").iloc[: len(kept)]
    again = assign(model, frame, key=key, names={})
    if len(again) != len(kept) or (key and not again[key].equals(kept[key])):
        return {"schema_problems": ["the rows are not those that were assigned, in their order"]}
    moved = again["segment"].to_numpy() != kept["segment"].to_numpy()
    gap = np.abs(again["membership"].to_numpy() - kept["membership"].to_numpy())
    alone, seconds = _alone(model, frame, singles)
    return {
        "schema_problems": [],
        "rows": len(frame),
        "golden_rows": len(frame),
        # A row in another segment is off by a whole membership, however sure it is.
        "golden_difference": 1.0 if moved.any() else float(gap.max()),
        "skew_rows": int((alone != kept["segment"].to_numpy()[: len(alone)]).sum()),
        "p50_seconds": float(np.percentile(seconds, 50)),
        "p95_seconds": float(np.percentile(seconds, 95)),
    }


def _alone(model: Segments, frame: pd.DataFrame, singles: int) -> tuple[np.ndarray, list[float]]:
    for place in range(min(WARM, len(frame))):
        assign(model, frame.iloc[[place]], key="", names={})
    labels, seconds = [], []
    for place in range(min(singles, len(frame))):
        started = time.perf_counter()
        labels.append(assign(model, frame.iloc[[place]], key="", names={})["segment"].iloc[0])
        seconds.append(time.perf_counter() - started)
    return np.asarray(labels), seconds


def _bad_input(model: Segments, path: Path, folder: Path) -> list[Json]:
    """Tables that must be refused by name: each without one of the columns compared by."""
    found: list[Json] = []
    some = read_columns(path, model.features.names, field="rows").iloc[:20]
    for name in model.features.names[:20]:
        table = write_table(some.drop(columns=[name]), folder / "bad.parquet")
        answer, refused = "accepted", False
        try:
            read_columns(table, model.features.names, field="rows")
        except OperationError as problem:
            answer, refused = problem.message, name in (problem.value or "")  # type: ignore[operator]
        found.append(
            {"rule": "missing", "column": name, "refused": refused, "answer": answer[:200]}
        )
    return found


if __name__ == "__main__":
    main()
