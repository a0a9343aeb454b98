"""The flights as the benchmarks use them: the files, what people fill in, plain calls.

`python -m benchmarks.flights FOLDER TABLES NUMBER` is the script that the engine is measured
against: the same operations, called one after another in one process, without database, records or
anybody to ask. It never imports Django.
"""

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines import catalogue
from pipelines.blueprints.refs import Json, Ref, RefKind
from pipelines.blueprints.shipped import shipped
from pipelines.blueprints.spec import Blueprint, StepDef
from pipelines.operations.contract import Context, Outcome, clean_params
from portal.demo import flights, script

SEED = 2013
# What the engine's warm child has imported before its first attempt.
WARM_IMPORTS = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "scipy.stats",
    "sklearn.pipeline",
    "sklearn.ensemble",
)
STAGES = ("source", "explore", "features", "tune", "evaluate", "operationalise")
# All rows of January to October; a later start (2013-08-01T00:00:00) tries the benchmarks out.
SINCE = os.environ.get("BATON_BENCH_SINCE", "")
PARAMETERS: dict[str, Any] = {**script.PARAMETERS, "joins": flights.JOINS, "time_from": SINCE}
# The second choice of the play: without the column that nobody knows in time.
ITEMS: dict[tuple[str, str], dict[str, Any]] = {**script.ITEMS, script.CHOICE: script.CHOICES[2]}


def machine() -> dict[str, Any]:
    """What a figure depends on beside the code."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load": [round(one, 2) for one in os.getloadavg()],
        "since": SINCE or "all rows",
        "omp": os.environ.get("OMP_NUM_THREADS"),
    }


def say(**row: Any) -> None:
    """Print one JSON line."""
    print(json.dumps(row), flush=True)


@dataclass
class Plain:
    """The stages of the blueprint as one plain script."""

    folder: Path
    tables: Mapping[str, Path]
    seed: int = SEED
    parameters: Mapping[str, Any] = field(default_factory=lambda: PARAMETERS)
    plan: Blueprint = field(default_factory=lambda: shipped(script.BLUEPRINT))
    items: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=lambda: ITEMS)
    stages: tuple[str, ...] = STAGES
    made: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    known: dict[str, Outcome] = field(default_factory=dict)
    times: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> None:
        """Call every operation of the stages; equal calls once."""
        for key in self.stages:
            for step in self.plan.stage(key).all_steps():
                self._call(key, step)

    def _call(self, stage: str, step: StepDef) -> None:
        spec = catalogue.spec(step.operation)
        params = clean_params(spec, dict(self._params(step)))
        inputs, _ = self._inputs(step)
        same = json.dumps([spec.name, params, [str(p) for p in inputs.values()]], sort_keys=True)
        if same in self.known:
            self.made[stage, step.key] = self.known[same]
            return
        context = self.context(stage, step)
        began, spent = time.perf_counter(), os.times()
        found = catalogue.resolve(spec.name)(context)
        if not isinstance(found, Outcome):
            raise TypeError(f"{spec.name} waits")
        self.made[stage, step.key] = self.known[same] = found
        self._note(f"{stage}.{step.key}", time.perf_counter() - began, spent)

    def context(self, stage: str, step: StepDef) -> Context:
        """What a step is called with, in a folder of its own."""
        spec = catalogue.spec(step.operation)
        folder = self.folder / f"{stage}.{step.key}"
        folder.mkdir(parents=True, exist_ok=True)
        inputs, many = self._inputs(step)
        params = clean_params(spec, dict(self._params(step)))
        return Context(
            spec=spec, folder=folder, inputs=inputs, many=many, params=params, seed=self.seed
        )

    def _note(self, name: str, wall: float, before: os.times_result) -> None:
        now = os.times()
        cpu = sum(now[:4]) - sum(before[:4])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        row = {"step": name, "wall": round(wall, 2), "cpu": round(cpu, 2), "peak_mib": peak}
        self.times.append(row)

    def _params(self, step: StepDef) -> Iterator[tuple[str, Json]]:
        for name, value in step.params.items():
            found = self._value(value) if isinstance(value, Ref) else value
            if found is not None:
                yield name, found

    def _value(self, ref: Ref) -> Json:
        found: Json
        if ref.kind is RefKind.PARAMETER:
            found = self.parameters.get(ref.name, self.plan.parameter(ref.name).default)
        else:
            data = self.items.get((ref.stage, ref.name), {})
            found = data.get(ref.part) if ref.part else data
        return ref.default if found is None else found

    def _inputs(self, step: StepDef) -> tuple[dict[str, Path], dict[str, dict[str, Path]]]:
        inputs: dict[str, Path] = {}
        many: dict[str, dict[str, Path]] = {}
        spec = catalogue.spec(step.operation)
        for port, refs in step.inputs.items():
            if refs[0].kind is RefKind.INPUT:
                many[port] = dict(self.tables)
                continue
            paths = {ref.name: self.made[ref.stage, ref.name].outputs[ref.part] for ref in refs}
            if spec.input(port).many:
                many[port] = paths
            else:
                inputs[port] = next(iter(paths.values()))
        return inputs, many


def main(folder: str, tables: str, number: str) -> None:
    """Run the plain script in this process and print what it took."""
    for name in WARM_IMPORTS:
        importlib.import_module(name)
    paths = {path.stem: path for path in sorted(Path(tables).glob("*.csv"))}
    script_run = Plain(Path(folder), paths, seed=SEED + int(number))
    began, before = time.perf_counter(), os.times()
    script_run.run()
    spent = sum(os.times()[:4]) - sum(before[:4])
    say(
        wall=round(time.perf_counter() - began, 2),
        cpu=round(spent, 2),
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        steps=script_run.times,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
