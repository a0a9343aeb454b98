"""Runs in the clean process: scores tables by the candidate's file alone; JSON in, JSON out."""

import json
import sys
from pathlib import Path

from pipelines.operations.contract import Json
from pipelines.operations.learning import store
from pipelines.operations.packages.loaded import scores_of
from pipelines.operations.tables import read_table


def main() -> None:
    """Read the request from standard input and answer on standard output."""
    json.dump(probe(json.load(sys.stdin)), sys.stdout, allow_nan=False)


def probe(request: dict[str, Json]) -> dict[str, Json]:
    """The scores of each named table, in the order of its rows."""
    model = store.load(Path(str(request["candidate"])), field="candidate")
    return {
        name: scores_of(model, read_table(Path(str(path)))).tolist()
        for name, path in request.items()
        if name != "candidate"
    }


if __name__ == "__main__":
    main()
