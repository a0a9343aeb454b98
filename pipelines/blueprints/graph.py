"""What follows from a blueprint alone, derived once per digest: order, reach, edges, waits."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pipelines.blueprints.refs import Ref, RefKind
from pipelines.blueprints.spec import Blueprint, HandOffDef, ItemDef, StageDef, StepDef

Edge = tuple[str, str]
PLAIN_HAND_OFF = HandOffDef()


@dataclass(frozen=True)
class Waits:
    """What a step or item of a stage waits for: steps and items of the same stage."""

    steps: frozenset[str]
    items: frozenset[str]


@dataclass(frozen=True)
class StageGraph:
    """One stage with its place in the graph. Hand-offs only where the persona changes."""

    stage: StageDef
    needs: tuple[str, ...]
    hand_offs_in: tuple[str, ...]
    hand_offs_out: tuple[str, ...]
    steps: tuple[tuple[str, Waits], ...]
    items: tuple[tuple[str, Waits], ...]
    contract_steps: tuple[tuple[str, frozenset[str]], ...]


@dataclass(frozen=True)
class Graph:
    """`order` is topological, ties in the order of the file; what a cycle holds comes last."""

    order: tuple[str, ...]
    stages: Mapping[str, StageGraph]
    downstream: Mapping[str, frozenset[str]]
    cyclic: frozenset[str]


@lru_cache(maxsize=256)
def graph(blueprint: Blueprint) -> Graph:
    """The derived graph; unknown stages named in `needs` are left out (lint reports them)."""
    stages = {stage.key: stage for stage in blueprint.stages}
    needs = {key: tuple(n for n in stage.needs if n in stages) for key, stage in stages.items()}
    order, cyclic = _order(needs)
    return Graph(
        order=order,
        stages={key: _stage_graph(stages, needs, key) for key in order},
        downstream={key: _reach(needs, key) for key in order},
        cyclic=cyclic,
    )


def affected(blueprint: Blueprint, target: str) -> frozenset[str]:
    """Every stage downstream of `target`, on any branch, without itself."""
    return graph(blueprint).downstream[target]


def upstream(blueprint: Blueprint, key: str) -> frozenset[str]:
    """Every stage that `key` depends on, without itself."""
    reach = graph(blueprint).downstream
    return frozenset(other for other, below in reach.items() if key in below)


def hand_off_edges(blueprint: Blueprint) -> tuple[Edge, ...]:
    """Every edge at which the persona changes, so that a hand-off passes over it."""
    derived = graph(blueprint)
    return tuple(
        (source, target)
        for target in derived.order
        for source in derived.stages[target].hand_offs_in
    )


def hand_off_def(blueprint: Blueprint, source: str) -> HandOffDef:
    """How the stage hands off; a plain hand-off with nothing to prove where it says nothing."""
    return blueprint.stage(source).hand_off or PLAIN_HAND_OFF


def _order(needs: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], frozenset[str]]:
    placed: dict[str, None] = {}
    left = list(needs)
    while left:
        ready = next((key for key in left if all(n in placed for n in needs[key])), None)
        if ready is None:
            break
        placed[ready] = None
        left.remove(ready)
    return (*placed, *left), frozenset(left)


def _reach(needs: Mapping[str, tuple[str, ...]], start: str) -> frozenset[str]:
    found: set[str] = set()
    front = [start]
    while front:
        here = front.pop()
        new = [key for key, before in needs.items() if here in before and key not in found]
        found.update(new)
        front.extend(new)
    return frozenset(found)


def _stage_graph(
    stages: Mapping[str, StageDef], needs: Mapping[str, tuple[str, ...]], key: str
) -> StageGraph:
    stage = stages[key]
    targets = [other for other in stages if key in needs[other]]
    return StageGraph(
        stage=stage,
        needs=needs[key],
        hand_offs_in=tuple(n for n in needs[key] if stages[n].persona != stage.persona),
        hand_offs_out=tuple(t for t in targets if stages[t].persona != stage.persona),
        steps=tuple((step.key, step_waits(stage, step)) for step in stage.steps),
        items=tuple((item.key, item_waits(stage, item)) for item in stage.items),
        contract_steps=_contract_steps(stage),
    )


def step_waits(stage: StageDef, step: StepDef) -> Waits:
    """The steps and items of its own stage that the step's inputs, parameters or `after` name."""
    inputs = [ref for refs in step.inputs.values() for ref in refs]
    params = [value for value in step.params.values() if isinstance(value, Ref)]
    return _waits(stage, step.after, [*inputs, *params])


def item_waits(stage: StageDef, item: ItemDef) -> Waits:
    """The steps and items of its own stage that the item's fields or `after` name."""
    return _waits(stage, item.after, [f.suggest for f in item.fields if f.suggest])


def _waits(stage: StageDef, after: Iterable[str], refs: Iterable[Ref]) -> Waits:
    items = {item.key for item in stage.items}
    named = set(after)
    own = [ref for ref in refs if ref.stage == stage.key]
    by_refs = {ref.name for ref in own if ref.kind in (RefKind.OUTPUT, RefKind.FACT)}
    forms = {ref.name for ref in own if ref.kind is RefKind.FIELD}
    return Waits(frozenset(by_refs | (named - items)), frozenset(forms | (named & items)))


def _contract_steps(stage: StageDef) -> tuple[tuple[str, frozenset[str]], ...]:
    steps = stage.hand_off.steps if stage.hand_off else ()
    own = {step.key for step in steps}
    return tuple((step.key, step_waits(stage, step).steps & own) for step in steps)
