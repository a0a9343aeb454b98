"""A small example of `make_series`: journeys an hour, of two places, with a hole."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.operations.contract import Json
from pipelines.operations.tables import write_table


def events(days: int = 60, *, seed: int = 1) -> pd.DataFrame:
    """Journeys of two places: fewer at weekends, none on one day, one told twice."""
    rng = np.random.default_rng(seed)
    parts = []
    for place, level in (("AMS", 20), ("BRU", 14)):
        for day in pd.date_range("2024-01-01", periods=days, freq="D"):
            busy = 0.5 if day.weekday() >= 5 else 1.0
            count = 0 if day.day == 17 else int(rng.poisson(level * busy))
            hours = pd.to_timedelta(rng.integers(0, 24 * 60, count), unit="min")
            parts.append(pd.DataFrame({"leaves": day + np.sort(hours), "place": place}))
    frame = pd.concat(parts, ignore_index=True)
    frame["seats"] = rng.integers(50, 300, len(frame)).astype("float64")
    return pd.concat([frame, frame.head(1)], ignore_index=True)


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    table = write_table(events(), folder / "events.parquet")
    return {"table": table}, {"time_column": "leaves", "groups": ["place"]}
