"""The current rows of a run in memory: what `plan` looks at and what `advance` works on.

Loaded once per command under the run's lock with a fixed number of queries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pipelines.blueprints.graph import hand_off_def, hand_off_edges
from pipelines.blueprints.parse import parse
from pipelines.blueprints.plan import HandOffView, RunView, StageView
from pipelines.blueprints.refs import Json, Ref, RefKind
from pipelines.blueprints.spec import Blueprint, StageDef
from pipelines.lifecycles import GateState
from pipelines.runs.gaps import asks_a_person
from pipelines.runs.models import Attempt, Check, Gate, HandOff, Run, Stage, Step, WorkItem
from pipelines.runs.reading import fetch
from pipelines.usecases.models import BlueprintVersion, Seat

Part = dict[str, str]


@lru_cache(maxsize=64)
def _parsed(digest: str, pk: int) -> Blueprint:
    return parse(BlueprintVersion.objects.get(pk=pk).body)


def blueprint_of(run: Run) -> Blueprint:
    """Return the run's blueprint; versions are immutable, so it is parsed once per process."""
    pk = run.version_id
    return _parsed(_digest(pk), pk)


def blueprint_at(version: BlueprintVersion) -> Blueprint:
    """Return the blueprint of one version, parsed once per process."""
    return _parsed(version.digest, version.pk)


def stage_def(run: Run, key: str) -> StageDef:
    """Return what the run's blueprint says of a stage.

    Of one that it left behind when it moved to another version: what the last that had it says.
    """
    for pk in (run.version_id, *reversed(run.earlier_version_ids)):
        found = next((s for s in _parsed(_digest(pk), pk).stages if s.key == key), None)
        if found is not None:
            return found
    raise KeyError(key)


@lru_cache(maxsize=256)
def _digest(pk: int) -> str:
    return BlueprintVersion.objects.values_list("digest", flat=True).get(pk=pk)


@dataclass
class Rows:
    """The run's current rounds with their steps, items, latest gates and hand-offs."""

    run: Run
    blueprint: Blueprint
    stages: dict[str, Stage]
    steps: dict[tuple[int, str], Step]
    contract_steps: dict[tuple[int, str], Step]
    items: dict[tuple[int, str], WorkItem]
    gates: dict[int, Gate]
    hand_offs: dict[tuple[str, str], HandOff]
    green: dict[int, bool | None] = field(default_factory=dict)
    has_results: bool = False

    def with_results(self) -> "Rows":
        """Fetch the results of all steps, at most once: most commands look at states alone."""
        if not self.has_results:
            self.has_results = True
            steps = [*self.steps.values(), *self.contract_steps.values()]
            wanted = [s.result_id for s in steps if s.result_id and not _fetched(s)]
            rows = fetch(Attempt, "id = ANY(%s)", [wanted], only=LIGHT) if wanted else []
            found = {row.pk: row for row in rows}
            for step in steps:
                if step.result_id in found:
                    step.result = found[step.result_id]
        return self

    def view(self) -> RunView:
        """Return the run as `plan` sees it."""
        return RunView(
            state=self.run.state,
            stages={key: self._stage_view(stage) for key, stage in self.stages.items()},
            hand_offs={edge: self._hand_off_view(h) for edge, h in self.hand_offs.items()},
            facts=self.facts() if has_conditions(self.blueprint) else {},
        )

    def _stage_view(self, stage: Stage) -> StageView:
        gate = self.gates.get(stage.pk)
        return StageView(
            state=stage.state,
            round=stage.round,
            steps={s.key: s.state for (pk, _), s in self.steps.items() if pk == stage.pk},
            items={i.key: i.state for (pk, _), i in self.items.items() if pk == stage.pk},
            gate=gate.state if gate else "",
        )

    def _hand_off_view(self, hand_off: HandOff) -> HandOffView:
        return HandOffView(
            state=hand_off.state,
            source_round=hand_off.source.round,
            steps={
                s.key: s.state for (pk, _), s in self.contract_steps.items() if pk == hand_off.pk
            },
            green=self.green.get(hand_off.pk),
            asks=asks_a_person(hand_off_def(self.blueprint, hand_off.source.key), hand_off.gap),
        )

    def step_of(self, pk: int) -> Step | None:
        """Return a step of a current round, or None."""
        both = (*self.steps.values(), *self.contract_steps.values())
        return next((step for step in both if step.pk == pk), None)

    def forget(self, stage: Stage) -> None:
        """Drop what hangs on a round that counts no more; `stages` gets its next round."""
        for held in (self.steps, self.items):
            for key in [key for key in held if key[0] == stage.pk]:
                del held[key]
        self.gates.pop(stage.pk, None)
        for edge, hand_off in list(self.hand_offs.items()):
            if hand_off.source_id == stage.pk:
                del self.hand_offs[edge]
                for key in [key for key in self.contract_steps if key[0] == hand_off.pk]:
                    del self.contract_steps[key]

    def facts(self) -> dict[str, Mapping[str, Json]]:
        """Return the facts of the current rounds, as checks and conditions read them."""
        self.with_results()
        facts: dict[str, Mapping[str, Json]] = {"run": self.run_facts()}
        for step in (*self.steps.values(), *self.contract_steps.values()):
            if step.result is not None:
                facts[f"{step.stage.key}.{step.key}"] = step.result.facts
        for item in self.items.values():
            if item.state == "COMPLETED":
                facts[f"item.{item.stage.key}.{item.key}"] = item.data
        return facts

    def run_facts(self) -> dict[str, Json]:
        """Return what checks may know of the run itself: parameters, seats, kind and trigger."""
        seats = fetch(
            Seat, "use_case_id = %s AND until IS NULL", [self.run.use_case_id], only=("persona_id",)
        )
        codes = sorted({seat.persona_id for seat in seats})
        return {
            "parameters": self.run.parameters,
            "seats": list(codes),
            "kind": self.run.kind,
            "number": self.run.number,
            "trigger": self.run.trigger,
        }

    def part(self, ref: Ref) -> Part | None:
        """Return the artefact an output reference names, or None where there is none yet."""
        step = self.with_results()._step(ref)
        if step is None or step.result is None:
            return None
        output: Part | None = step.result.outputs.get(ref.part)
        if output is None:
            return None
        return {"name": ref.part, "digest": output["digest"], "media": output["media"]}

    def value(self, ref: Ref) -> Json:
        """Return the value a parameter reference names; its default where there is none."""
        found: Json = None
        if ref.kind is RefKind.PARAMETER:
            found = self.run.parameters.get(ref.name)
        elif ref.kind is RefKind.FIELD:
            stage = self.stages.get(ref.stage)
            item = self.items.get((stage.pk, ref.name)) if stage else None
            data = item.data if item is not None else {}
            found = data.get(ref.part) if ref.part else data or None
        elif ref.kind is RefKind.FACT:
            step = self.with_results()._step(ref)
            found = step.result.facts.get(ref.part) if step and step.result else None
        return ref.default if found is None else found

    def _step(self, ref: Ref) -> Step | None:
        stage = self.stages.get(ref.stage)
        if stage is None:
            return None
        own = self.steps.get((stage.pk, ref.name))
        if own is not None:
            return own
        for (source, _), hand_off in self.hand_offs.items():
            contract = self.contract_steps.get((hand_off.pk, ref.name))
            if source == stage.key and contract is not None:
                return contract
        return None


@lru_cache(maxsize=64)
def has_conditions(blueprint: Blueprint) -> bool:
    """Whether any stage or gate of the blueprint has a `when`: only then are facts loaded."""
    return any(stage.when or (stage.gate and stage.gate.when) for stage in blueprint.stages)


def _uses(run: Run, blueprint: Blueprint) -> tuple[bool, bool, bool]:
    """Whether the run may have items, gates and hand-offs at all: what cannot be is not read.

    A run that moved may have rows of which its present version knows nothing: who filled in a form
    of an earlier one still made part of what is under review.
    """
    return (True, True, True) if run.earlier_version_ids else _has(blueprint)


@lru_cache(maxsize=64)
def _has(blueprint: Blueprint) -> tuple[bool, bool, bool]:
    """Whether the blueprint has items, gates and hand-offs at all."""
    return (
        any(stage.items for stage in blueprint.stages),
        any(stage.gate for stage in blueprint.stages),
        bool(hand_off_edges(blueprint)),
    )


def load(run: Run) -> Rows:
    """Load the run's current rows; at most six queries, whatever the size of the run."""
    blueprint = blueprint_of(run)
    items, gates, edges = _uses(run, blueprint)
    stages = {}
    for stage in fetch(Stage, "run_id = %s AND current ORDER BY position, round", [run.pk]):
        stage.run = run
        stages[stage.key] = stage
    by_pk = {stage.pk: stage for stage in stages.values()}
    hand_offs = _hand_offs(run, by_pk) if edges else {}
    steps, contract_steps = _steps(run, by_pk, {h.pk: h for h in hand_offs.values()})
    return Rows(
        run=run,
        blueprint=blueprint,
        stages=stages,
        steps=steps,
        contract_steps=contract_steps,
        items=_items(by_pk) if items or run.has_help else {},
        gates=_gates(by_pk) if gates else {},
        hand_offs=hand_offs,
        green={hand_off.pk: _green(hand_off) for hand_off in hand_offs.values()},
    )


# What a result's readers ask for; a log alone may have 16,000 characters.
LIGHT = ("step_id", "run_id", "number", "state", "outputs", "facts", "package")


def _fetched(step: Step) -> bool:
    return "result" in step._state.fields_cache


def _steps(
    run: Run, by_pk: Mapping[int, Stage], hand_offs: Mapping[int, HandOff]
) -> tuple[dict[tuple[int, str], Step], dict[tuple[int, str], Step]]:
    own: dict[tuple[int, str], Step] = {}
    contract: dict[tuple[int, str], Step] = {}
    steps = fetch(Step, "stage_id = ANY(%s) AND current ORDER BY id", [list(by_pk)])
    for step in steps:
        step.stage, step.run = by_pk[step.stage_id], run
        if step.hand_off_id is None:
            own[step.stage_id, step.key] = step
        elif step.hand_off_id in hand_offs:
            step.hand_off = hand_offs[step.hand_off_id]
            contract[step.hand_off_id, step.key] = step
    return own, contract


def _items(by_pk: Mapping[int, Stage]) -> dict[tuple[int, str], WorkItem]:
    items = {}
    where = "stage_id = ANY(%s) AND kind <> 'attention' ORDER BY id"
    for item in fetch(WorkItem, where, [list(by_pk)]):
        item.stage = by_pk[item.stage_id]
        if item.hand_off_id is None:
            items[item.stage_id, item.key] = item
    return items


# The frozen evidence is large, and commands look at it only when they freeze it.
WITHOUT_PACK = tuple(f.attname for f in Gate._meta.concrete_fields if f.attname != "pack")


def _gates(by_pk: Mapping[int, Stage]) -> dict[int, Gate]:
    """The latest gate of each stage; none where that was superseded: one opens anew."""
    gates = {}
    for gate in fetch(Gate, "stage_id = ANY(%s) ORDER BY id", [list(by_pk)], only=WITHOUT_PACK):
        gate.stage = by_pk[gate.stage_id]
        gates[gate.stage_id] = gate
    return {pk: gate for pk, gate in gates.items() if gate.state != GateState.SUPERSEDED}


def _hand_offs(run: Run, by_pk: Mapping[int, Stage]) -> dict[tuple[str, str], HandOff]:
    """The latest hand-off of each edge, from a current round of its source."""
    rows = fetch(HandOff, "run_id = %s AND source_id = ANY(%s) ORDER BY id", [run.pk, list(by_pk)])
    if not rows:
        return {}
    keys = {pk: stage.key for pk, stage in by_pk.items()}
    left = [row.target_id for row in rows if row.target_id not in keys]
    if left:  # the target's round is over, its hand-off stands
        keys |= {one.pk: one.key for one in fetch(Stage, "id = ANY(%s)", [left], only=("key",))}
    _with_checks(rows)
    found: dict[tuple[str, str], HandOff] = {}
    for hand_off in rows:
        hand_off.source = by_pk[hand_off.source_id]
        hand_off.run = run
        found[hand_off.source.key, keys[hand_off.target_id]] = hand_off
    return found


def _with_checks(hand_offs: Sequence[HandOff]) -> None:
    """Let each know its checks, as a prefetch would, without composing the statement anew."""
    by_hand_off: dict[int, list[Check]] = {hand_off.pk: [] for hand_off in hand_offs}
    for check in fetch(Check, "hand_off_id = ANY(%s) ORDER BY id", [list(by_hand_off)]):
        if check.hand_off_id is not None:
            by_hand_off[check.hand_off_id].append(check)
    for hand_off in hand_offs:
        known: Any = hand_off.checks.all()
        known._result_cache = by_hand_off[hand_off.pk]
        hand_off._prefetched_objects_cache = {"checks": known}  # type: ignore[attr-defined]


def _green(hand_off: HandOff) -> bool | None:
    """Whether the contract is green: None before it is judged; the latest judgement counts."""
    checks = {check.name: check for check in sorted(hand_off.checks.all(), key=lambda c: c.pk)}
    if not checks:
        return None
    return not any(check.blocks for check in checks.values())
