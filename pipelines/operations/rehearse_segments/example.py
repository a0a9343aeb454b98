"""A small example of `rehearse_segments`: boats, assigned and packed."""

from pathlib import Path

from pipelines.operations.assign_clusters.compute import run as assign
from pipelines.operations.assign_clusters.spec import SPEC as ASSIGN
from pipelines.operations.clusters.example import write_candidate
from pipelines.operations.contract import Context, Json, clean_params
from pipelines.operations.pack_clusters.compute import run as pack
from pipelines.operations.pack_clusters.spec import SPEC as PACK
from pipelines.operations.tables import write_document


def example(folder: Path) -> tuple[dict[str, Path], dict[str, Json]]:
    """Inputs and params."""
    given = write_candidate(folder)
    rows = {"candidate": given["candidate"], "rows": given["rows"]}
    assigned = assign(
        Context(spec=ASSIGN, folder=folder, inputs=rows, params=clean_params(ASSIGN, {}), seed=1)
    )
    segment: dict[str, Json] = {"name": "segment 1", "sentence": "51% of the rows: longer"}
    facts: dict[str, Json] = {"family": "kmeans", "groups": 3, "segments": [segment]}
    made = {
        "candidate": given["candidate"],
        "assignments": assigned.outputs["assignments"],
        "evaluation": write_document(folder / "evaluation.json", {"facts": facts}),
        "profile": write_document(folder / "profile.json", {"segments": [segment]}),
    }
    packed = pack(Context(spec=PACK, folder=folder, inputs=made, params=clean_params(PACK, {})))
    return {"package": packed.outputs["package"], "rows": given["rows"]}, {
        "rows": 100,
        "singles": 20,
    }
