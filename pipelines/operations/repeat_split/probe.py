"""Runs in the clean process: splits by the recipe in the document; JSON in, JSON out."""

import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pipelines.operations.contract import Context, Json, Outcome, Run, Spec, clean_params
from pipelines.operations.split_data.compute import run as split_data
from pipelines.operations.split_data.spec import SPEC as SPLIT_DATA
from pipelines.operations.split_origins.compute import run as split_origins
from pipelines.operations.split_origins.spec import SPEC as SPLIT_ORIGINS
from pipelines.operations.tables import read_document

SPLITS: Mapping[str, tuple[Spec, Run]] = {
    "split_data": (SPLIT_DATA, split_data),
    "split_origins": (SPLIT_ORIGINS, split_origins),
}


def main() -> None:
    """Read the request from standard input and answer on standard output."""
    json.dump(probe(json.load(sys.stdin)), sys.stdout, allow_nan=False)


def probe(request: Mapping[str, Json]) -> dict[str, Json]:
    """Facts of the comparison; `recipe` is False where the document does not tell how."""
    given = read_document(Path(str(request["split"])))
    recipe = given.get("recipe")
    if not isinstance(recipe, dict) or recipe.get("operation") not in SPLITS:
        return {"recipe": False}
    with tempfile.TemporaryDirectory(dir=str(request["folder"])) as folder:
        again = _again(recipe, Path(str(request["table"])), Path(folder))
        pairs: list[tuple[str, Json, Json]] = [
            ("rows of both parts", given.get("digest"), again.facts.get("digest")),
            *_parts(given, again.facts),
            *(
                (f"{part}, as a file", _digest(Path(str(request[part]))), _digest(path))
                for part, path in again.outputs.items()
                if part in request and part != "split"
            ),
        ]
    differences: list[Json] = [
        {"of": name, "written": before, "again": after}
        for name, before, after in pairs
        if before is None or before != after
    ]
    return {
        "recipe": True,
        "clean": True,
        "operation": recipe["operation"],
        "seed": recipe.get("seed"),
        "rule": again.facts.get("rule"),
        "rows": again.facts.get("rows"),
        "digest": again.facts.get("digest"),
        "compared": len(pairs),
        "differences": differences,
        "reproducible": not differences,
    }


def _again(recipe: Mapping[str, Json], table: Path, folder: Path) -> Outcome:
    spec, run = SPLITS[str(recipe["operation"])]
    params, seed = recipe.get("params"), recipe.get("seed")
    context = Context(
        spec=spec,
        folder=folder,
        inputs={"table": table},
        params=clean_params(spec, params if isinstance(params, dict) else {}),
        seed=seed if isinstance(seed, int) else 0,
    )
    outcome = run(context)
    if not isinstance(outcome, Outcome):
        raise TypeError(f"{spec.name} gave no outcome")
    return outcome


def _parts(given: Mapping[str, Json], again: Mapping[str, Json]) -> list[tuple[str, Json, Json]]:
    """What is in the rows of each part, by digest."""
    before, after = given.get("parts"), again.get("parts")
    found: list[tuple[str, Json, Json]] = []
    for name in ("train", "holdout"):
        one = before.get(name) if isinstance(before, dict) else None
        two = after.get(name) if isinstance(after, dict) else None
        found.append(
            (
                f"content of {name}",
                one.get("content_digest") if isinstance(one, dict) else None,
                two.get("content_digest") if isinstance(two, dict) else None,
            )
        )
    return found


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
