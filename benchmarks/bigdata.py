"""Data bigger than memory: ingest and profile against bare DuckDB, and a profile in bounded memory.

`python -m benchmarks.bigdata [rows] [profiled rows]`. Each part runs in a process of its own,
so that its peak memory is its own; the files lie in a temporary folder and are removed.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import catalogue
from pipelines.operations.contract import Context, clean_params

# Twenty columns: whole numbers, fractions, times, days, texts short and long, bools, gaps.
COLUMNS = """i AS id, (hash(i) % 1000)::INT AS shop, (hash(i, 1) % 100000)::INT AS customer,
round((hash(i, 2) % 1000000) / 997.0, 3) AS price, (hash(i, 3) % 7)::INT AS weekday,
CASE WHEN hash(i, 4) % 20 = 0 THEN NULL ELSE round((hash(i, 5) % 10000) / 13.0, 2) END AS discount,
strftime(TIMESTAMP '2020-01-01' + to_seconds((i * 13) % 100000000), '%Y-%m-%d %H:%M:%S') AS sold_at,
strftime(DATE '2019-01-01' + (hash(i, 6) % 1500)::INT, '%Y-%m-%d') AS made_on,
'city ' || (hash(i, 7) % 300) AS city,
['red', 'green', 'blue', 'violet'][(1 + hash(i, 8) % 4)::BIGINT] AS colour,
CASE WHEN hash(i, 9) % 3 = 0 THEN 'true' ELSE 'false' END AS paid,
'note about the sale ' || (hash(i, 10) % 5000000) AS note,
(hash(i, 11) % 20000) / 7.0 AS m1, (hash(i, 12) % 20000) / 11.0 AS m2,
ln(1 + hash(i, 13) % 100000) AS m3, (hash(i, 14) % 1000000)::BIGINT * 1000 AS big,
CASE WHEN hash(i, 15) % 2 = 0 THEN NULL ELSE hash(i, 16) % 50 END AS rare,
(hash(i, 17) % 2)::INT AS flag, (hash(i, 18) % 500)::INT - 250 AS delta,
CASE WHEN hash(i, 19) % 50 = 0 THEN 1 ELSE 0 END AS churned"""
PART = 10_000_000  # rows written at a time


def main() -> None:
    """Run every part and print its line."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    profiled = int(sys.argv[2]) if len(sys.argv) > 2 else 50_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        part("make", folder, rows)
        for turn in range(2):
            bare = part("bare", folder, rows, turn=turn)
            ours = part("ours", folder, rows, turn=turn)
            said = {
                "what": "ratio",
                "wall": round(ours["wall_seconds"] / bare["wall_seconds"], 2),
                "cpu": round(ours["cpu_seconds"] / bare["cpu_seconds"], 2),
            }
            print(json.dumps(said), flush=True)
        (folder / "sales.csv").unlink()
        if profiled:
            part("wide", folder, profiled)
            part("profile", folder, profiled)


def part(name: str, folder: Path, rows: int, **more: int) -> dict[str, float]:
    """Run one part in a process of its own; its line with the load beside it."""
    command = [sys.executable, "-m", "benchmarks.bigdata", f"--{name}", str(folder), str(rows)]
    before = os.getloadavg()[0]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    line = {"what": name, "rows": rows, **more, **found, "load_before": round(before, 1)}
    print(json.dumps(line), flush=True)
    return line


def engine() -> duckdb.DuckDBPyConnection:
    """DuckDB as it is, with as many threads as Baton gives it."""
    return duckdb.connect(config={"threads": 2})


def make(folder: Path, rows: int) -> dict[str, object]:
    """Write the CSV file."""
    path = folder / "sales.csv"
    engine().execute(f"COPY (SELECT {COLUMNS} FROM range({rows}) t(i)) TO '{path}' (HEADER)")
    return {"bytes": path.stat().st_size}


def wide(folder: Path, rows: int) -> dict[str, object]:
    """Write the Parquet file to profile, with real times, in parts: memory stays small."""
    cast = "CAST(sold_at AS TIMESTAMP) AS sold_at, CAST(made_on AS TIMESTAMP) AS made_on"
    path, writer = folder / "wide.parquet", None
    for start in range(0, rows, PART // 10):
        end = min(rows, start + PART // 10)
        query = f"SELECT {COLUMNS} FROM range({start}, {end}) t(i)"
        table = engine().execute(f"SELECT * REPLACE ({cast}) FROM ({query})").to_arrow_table()
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if isinstance(writer, pq.ParquetWriter):
        writer.close()
    return {"bytes": path.stat().st_size}


def bare(folder: Path, rows: int) -> dict[str, object]:
    """DuckDB reads the CSV file and summarises it."""
    query = f"SUMMARIZE SELECT * FROM read_csv('{folder / 'sales.csv'}')"
    return {"columns": len(engine().execute(query).fetchall())}


def ours(folder: Path, rows: int) -> dict[str, object]:
    """The operations `ingest` and `profile`, one after the other."""
    began = time.perf_counter()
    table = perform("ingest", folder / "ours", many={"tables": {"sales": folder / "sales.csv"}})
    middle = time.perf_counter()
    perform("profile", folder / "ours", inputs={"table": table})
    parts = {"ingest": middle - began, "profile": time.perf_counter() - middle}
    return {f"{name}_seconds": round(value, 1) for name, value in parts.items()}


def profile(folder: Path, rows: int) -> dict[str, object]:
    """The operation `profile` on many rows."""
    perform("profile", folder / "ours", inputs={"table": folder / "wide.parquet"})
    return {}


def perform(name: str, folder: Path, **given: object) -> Path:
    """Run an operation as a child would; the path of its first output."""
    folder.mkdir(exist_ok=True)
    spec = catalogue.spec(name)
    context = Context(spec=spec, folder=folder, params=clean_params(spec, {}), **given)
    outcome = catalogue.resolve(name)(context)
    return next(iter(outcome.outputs.values()))


def child(name: str, folder: Path, rows: int) -> None:
    """One part, measured; prints its line."""
    parts = {"make": make, "bare": bare, "ours": ours, "wide": wide, "profile": profile}
    pa.set_cpu_count(1)
    if name in ("ours", "profile"):
        for operation in ("ingest", "profile"):
            catalogue.resolve(operation)  # a warm child has imported what it needs
    wall, cpu = time.perf_counter(), time.process_time()
    found = parts[name](folder, rows)
    line = {
        **found,
        "wall_seconds": round(time.perf_counter() - wall, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }
    print(json.dumps(line))


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1].startswith("--"):
        child(sys.argv[1][2:], Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
