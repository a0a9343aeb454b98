"""A small example of `inspect_upload`."""

from pathlib import Path

from pipelines.operations.contract import Json


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    path = folder / "customers.csv"
    lines = [
        f"{n},2024-01-{1 + n % 28:02d},{n * 1.5},{'yes' if n % 3 else 'no'}" for n in range(60)
    ]
    path.write_text("customer_id,since,spend,churn\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return {"upload": path}, {"name": "customers.csv"}
