"""A small example of `ingest`: flights with their planes."""

from pathlib import Path

from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path | dict[str, Path]], dict[str, Json]]:
    """Inputs and params."""
    flights, planes = folder / "flights.csv", folder / "planes.csv"
    rows = [
        f"2013,{1 + n // 28 % 12},{1 + n % 28},N{n % 7},{n % 40 - 10 if n % 11 else 'NA'}"
        for n in range(200)
    ]
    flights.write_text(
        "year,month,day,tailnum,arr_delay\n" + "\n".join(rows) + "\n", encoding="utf-8"
    )
    planes.write_text(
        "tailnum;seats\n" + "".join(f"N{n};{100 + n}\n" for n in range(5)), encoding="utf-8"
    )
    params: dict[str, Json] = {
        "base": "flights",
        "joins": [{"table": "planes", "on": ["tailnum"], "prefix": "plane_"}],
        "target_rule": {"name": "late", "column": "arr_delay", "op": ">", "value": 15},
        "time_column": "flown_on",
        "time_parts": {"year": "year", "month": "month", "day": "day"},
        "drop_unlabelled": True,
    }
    return {"tables": {"flights.csv": flights, "planes.csv": planes}}, params
