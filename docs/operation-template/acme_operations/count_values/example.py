"""Small inputs for the contract test."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def example(folder: Path) -> tuple[dict[str, Path], dict[str, object]]:
    """Write the inputs into the folder; return them by port, and the parameters."""
    carriers = ["UA", "B6", "AA", "B6", None, "UA", "B6", "DL"] * 25
    path = folder / "flights.parquet"
    pq.write_table(pa.table({"carrier": carriers, "hour": list(range(200))}), path)
    return {"table": path}, {"column": "carrier", "most": 3}
