"""A shipped blueprint's stages S1 to S5 on small tables, in one process, without an engine.

Steps are called in the order of the blueprint with the parameters and forms that a run would have;
the first refusal ends it, as a stage that asks for attention would. Then every gate check of the
stages is asked, as the pages show them.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pipelines import catalogue
from pipelines.blueprints.refs import Json, Ref, RefKind
from pipelines.blueprints.shipped import shipped
from pipelines.blueprints.spec import Blueprint, StepDef
from pipelines.checks.contract import CheckResult
from pipelines.operations.contract import Context, OperationError, Outcome, clean_params

STAGES = ("source", "explore", "features", "tune", "evaluate")
# The clock is an input of its own; packages and searches have tests of their own and are slow.
LEFT_OUT = ("measure_age", "search_candidate", "retrain_clean", "load_test", "package_model")
Told = Mapping[str, CheckResult]


@dataclass
class Stages:
    """What the stages made of a table, and where they refused it."""

    folder: Path
    plan: Blueprint
    parameters: Mapping[str, Json]
    items: Mapping[str, Mapping[str, Json]]
    until: str = "evaluate"
    left_out: tuple[str, ...] = LEFT_OUT
    made: dict[str, Outcome] = field(default_factory=dict)
    error: OperationError | None = None
    at: str = ""

    def run(self, table: Path) -> "Stages":
        """Call the steps; the first refusal is kept in `error`, its place in `at`."""
        stages = STAGES[: STAGES.index(self.until) + 1]
        for stage in stages:
            for step in self.plan.stage(stage).all_steps():
                place = f"{stage}.{step.key}"
                if step.operation in self.left_out or place in self.left_out:
                    continue
                self.at = place
                try:
                    self._call(step, table)
                except OperationError as refused:
                    self.error = refused
                    return self
        self.at = ""
        return self

    def checks(self) -> dict[str, CheckResult]:
        """Every gate check of the stages whose steps were called, under its name."""
        facts: dict[str, Mapping[str, Json]] = {key: out.facts for key, out in self.made.items()}
        facts |= {f"item.{key}": data for key, data in self.items.items()}
        facts["run"] = {"parameters": dict(self.parameters), "seats": []}
        told = {}
        for stage in STAGES[: STAGES.index(self.until) + 1]:
            gate = self.plan.stage(stage).gate
            for use in gate.checks if gate else ():
                params = {name: self._value(value) for name, value in use.params.items()}
                name = f"{use.name}:{stage}" if use.name == "worries" else use.name
                told[name] = catalogue.check(use.name)(facts, params)
        return told

    def facts(self, step: str) -> Mapping[str, Json]:
        """What the step found."""
        return self.made[step].facts

    def _call(self, step: StepDef, table: Path) -> None:
        spec = catalogue.spec(step.operation)
        folder = self.folder / self.at
        folder.mkdir(parents=True)
        inputs, many = self._inputs(step, table)
        params = clean_params(spec, dict(self._params(step)))
        context = Context(spec=spec, folder=folder, inputs=inputs, many=many, params=params, seed=7)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a worker's log, not the answer
            outcome = catalogue.resolve(spec.name)(context)
        assert isinstance(outcome, Outcome)
        json.dumps(outcome.facts, allow_nan=False)  # NaN and infinities are no facts
        assert all(path.exists() for path in outcome.outputs.values())
        self.made[self.at] = outcome

    def _params(self, step: StepDef) -> Iterator[tuple[str, Json]]:
        for name, value in step.params.items():
            found = self._value(value)
            if found is not None:
                yield name, found

    def _value(self, value: "Json | Ref") -> Json:
        if not isinstance(value, Ref):
            return value
        found: Json
        if value.kind is RefKind.PARAMETER:
            found = self.parameters.get(value.name, self.plan.parameter(value.name).default)
        else:
            data = self.items.get(f"{value.stage}.{value.name}", {})
            found = data.get(value.part) if value.part else dict(data)
        return value.default if found is None else found

    def _inputs(
        self, step: StepDef, table: Path
    ) -> tuple[dict[str, Path], dict[str, dict[str, Path]]]:
        inputs: dict[str, Path] = {}
        many: dict[str, dict[str, Path]] = {}
        spec = catalogue.spec(step.operation)
        for port, refs in step.inputs.items():
            if refs[0].kind is RefKind.INPUT:
                many[port] = {table.stem: table}
                continue
            paths = {
                f"{ref.stage}.{ref.name}.{ref.part}": self.made[f"{ref.stage}.{ref.name}"].outputs[
                    ref.part
                ]
                for ref in refs
                if f"{ref.stage}.{ref.name}" in self.made
            }
            if spec.input(port).many:
                # `many` ports are keyed by the step, as the engine does
                many[port] = {key.split(".")[1]: path for key, path in paths.items()}
            elif paths:
                inputs[port] = next(iter(paths.values()))
        return inputs, many


def played(
    folder: Path,
    blueprint: str,
    table: pd.DataFrame | Path,
    *,
    parameters: Mapping[str, Json],
    items: Mapping[str, Mapping[str, Json]],
    until: str = "evaluate",
    left_out: tuple[str, ...] = LEFT_OUT,
) -> Stages:
    """The stages of the shipped blueprint, run on the table."""
    if isinstance(table, pd.DataFrame):
        path = folder / "given.parquet"
        table.to_parquet(path, index=False)
    else:
        path = table
    stages = Stages(folder / "made", shipped(blueprint), parameters, items, until=until)
    stages.left_out = left_out
    return stages.run(path)
