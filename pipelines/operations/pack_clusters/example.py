"""A small example of `pack_clusters`."""

from pathlib import Path

from pipelines.operations.clusters.example import write_candidate
from pipelines.operations.contract import Json
from pipelines.operations.tables import write_document


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    given = write_candidate(folder)
    segment: dict[str, Json] = {"name": "segment 1", "sentence": "51% of the rows: longer"}
    facts: dict[str, Json] = {"family": "kmeans", "groups": 3, "segments": [segment]}
    inputs = {
        "candidate": given["candidate"],
        "assignments": given["rows"],
        "evaluation": write_document(folder / "evaluation.json", {"facts": facts}),
        "profile": write_document(folder / "profile.json", {"segments": [segment]}),
    }
    return inputs, {"names": {"segment 1": "Long boats"}, "licence": "CC0-1.0"}
