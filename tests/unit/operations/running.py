"""Run one operation on files in a folder, as a worker child would."""

from collections.abc import Mapping
from pathlib import Path

from pipelines import catalogue
from pipelines.operations.contract import Context, Json, Outcome, clean_params


def perform(
    name: str,
    folder: Path,
    inputs: Mapping[str, Path | Mapping[str, Path]] | None = None,
    *,
    seed: int = 0,
    **params: Json,
) -> Outcome:
    """The outcome of the operation; many ports take a mapping of names to paths."""
    spec = catalogue.spec(name)
    out = folder / f"out-{name}"
    out.mkdir(parents=True, exist_ok=True)
    given = dict(inputs or {})
    outcome = catalogue.resolve(name)(
        Context(
            spec=spec,
            folder=out,
            inputs={port: path for port, path in given.items() if isinstance(path, Path)},
            many={port: paths for port, paths in given.items() if not isinstance(paths, Path)},
            params=clean_params(spec, params),
            seed=seed,
        )
    )
    assert isinstance(outcome, Outcome)
    return outcome
