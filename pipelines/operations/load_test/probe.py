"""Runs in the clean process: loads the package and tries it; JSON in, JSON out."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from pipelines.operations.contract import Json
from pipelines.operations.load_test.bad_rows import bad_rows
from pipelines.operations.packages import archive, environment
from pipelines.operations.packages.archive import PackageError
from pipelines.operations.packages.loaded import (
    Loaded,
    frame_of,
    golden_difference,
    load_package,
    plain_rows,
)
from pipelines.operations.packages.signature import RowsError
from pipelines.operations.tables import read_table

MIB = 1024  # ru_maxrss counts KiB on Linux
WARM = 10  # calls before timing starts
FRAMES = 20  # rows on which the bare pipeline is timed
SHOWN = 20


def main() -> None:
    """Read the request from standard input and answer on standard output."""
    json.dump(probe(json.load(sys.stdin)), sys.stdout, allow_nan=False)


def probe(request: dict[str, Json]) -> dict[str, Json]:
    """Everything that is tried; `loads` is False with the reason where it does not load."""
    package = Path(str(request["package"]))
    started = time.perf_counter()
    try:
        loaded = load_package(package)
    except PackageError as problem:
        return {"loads": False, "code": problem.code, "message": problem.message}
    load_seconds = time.perf_counter() - started
    _, entries = archive.read_archive(package.read_bytes())
    packaged = archive.load(entries, archive.ENVIRONMENT)
    here = environment.describe(also=environment.beyond(packaged))
    found: dict[str, Json] = {
        "loads": True,
        "digest": loaded.digest,
        "golden_difference": golden_difference(loaded, archive.load(entries, archive.GOLDEN)),
        "environment_differences": list[Json](environment.differences(packaged, here)),
        "row_form": loaded.row_form is not None,
        "scoring_path": loaded.path,
        "load_seconds": load_seconds,
    }
    found |= _timings(loaded, archive.load(entries, archive.GOLDEN), int(str(request["singles"])))
    # Before the holdout is read, which serving never does; in steps of 64 MiB, so that equal
    # packages have equal facts.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    found["memory_mib"] = int(-(-peak // 64) * 64)
    return found | _holdout(loaded, Path(str(request["holdout"])), int(str(request["rows"])))


def _holdout(loaded: Loaded, path: Path, count: int) -> dict[str, Json]:
    """Schema of the holdout against the signature, and its rows along the serving path."""
    held = pq.read_schema(path).names
    absent = [name for name in loaded.signature.names if name not in held]
    if absent:
        return {"schema_problems": [f"holdout has no column {name}" for name in absent]}
    frame = read_table(path, loaded.signature.names).iloc[:count]
    types: list[Json] = [
        f"column {column.name} is {frame[column.name].dtype} in the holdout, {column.dtype} served"
        for column in loaded.signature.inputs
        if str(frame[column.name].dtype) != column.dtype
    ]
    rows = plain_rows(frame, loaded.signature)
    try:
        served = np.asarray([loaded.served(row) for row in rows])
    except RowsError as problem:
        refused: list[Json] = [one.message for one in problem.problems[:SHOWN]]
        return {"schema_problems": types + refused}
    expected = loaded.score_frame(frame)
    gap = np.abs(served - expected) / np.maximum(1.0, np.abs(expected))
    gap = gap.reshape(len(rows), -1).max(axis=1)
    return {
        "schema_problems": types,
        "rows": len(rows),
        "skew_rows": int((gap > float(str(loaded.manifest["tolerance"]))).sum()),
        "skew_largest": float(gap.max()),
        "bad_input": list[Json](bad_rows(loaded, rows[0])),
    }


def _timings(loaded: Loaded, golden: dict[str, Json], count: int) -> dict[str, Json]:
    given = golden["rows"]
    rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    frames = [frame_of([row], loaded.signature) for row in rows[:FRAMES]]
    served = _timed(lambda i: loaded.predict([rows[i % len(rows)]]), count)
    bare = _timed(lambda i: loaded.score_frame(frames[i % len(frames)]), min(count, 60))
    batch = frame_of((rows * (1 + 1000 // len(rows)))[:1000], loaded.signature)
    many = _timed(lambda i: loaded.score_frame(batch), 5)
    return {
        "p50_seconds": float(np.percentile(served, 50)),
        "p95_seconds": float(np.percentile(served, 95)),
        "p99_seconds": float(np.percentile(served, 99)),
        "pipeline_p50_seconds": float(np.percentile(bare, 50)),
        "thousand_rows_seconds": float(np.percentile(many, 50)),
    }


def _timed(call: Callable[[int], object], count: int) -> list[float]:
    for index in range(min(WARM, 1 + count // 2)):
        call(index)
    found = []
    for index in range(count):
        started = time.perf_counter()
        call(index)
        found.append(time.perf_counter() - started)
    return found


if __name__ == "__main__":
    main()
