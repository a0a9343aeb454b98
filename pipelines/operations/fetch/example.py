"""A small example of `fetch`: an SQLite file."""

import sqlite3
from contextlib import closing
from pathlib import Path

from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params; `connection` says what the connection named in them leads to."""
    with closing(sqlite3.connect(folder / "sales.sqlite")) as made, made:
        made.execute("CREATE TABLE sales (id INTEGER, price REAL, city TEXT, sold TEXT)")
        made.executemany(
            "INSERT INTO sales VALUES (?, ?, ?, ?)",
            [
                (
                    n,
                    None if n % 9 == 0 else n / 4,
                    ("Bern", "Ulm")[n % 2],
                    f"2024-01-{1 + n % 28:02}",
                )
                for n in range(200)
            ],
        )
    return {}, {"connection": "sales", "table": "sales"}


def connection(folder: Path) -> dict[str, Json]:
    """What the supervisor would hand to the child for the example."""
    return {
        "kind": "sqlite",
        "address": f"sqlite://{folder}/sales.sqlite",
        "secret": "",
        "hosts": [],
        "folders": [str(folder)],
    }
