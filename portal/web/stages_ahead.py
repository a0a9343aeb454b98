"""What happens next in each stage of a plan, told from the plan itself. Pure."""

from dataclasses import dataclass

from pipelines.blueprints.spec import Blueprint, StageDef


@dataclass(frozen=True)
class Ahead:
    """A stage: who owns it, what they fill in, who decides, where it may go back, who is next."""

    stage: StageDef
    asked: tuple[str, ...]
    deciders: tuple[tuple[str, int], ...]
    back_to: tuple[str, ...]
    next: tuple[StageDef, ...]

    @property
    def concerns(self) -> frozenset[str]:
        """Return the personas it asks something of."""
        codes = {self.stage.persona, *(code for code, _least in self.deciders)}
        return frozenset(codes | {one.persona for one in self.next})


def ahead(plan: Blueprint) -> tuple[Ahead, ...]:
    """Return what happens in each stage of the plan, in its order."""
    titles = {stage.key: stage.title for stage in plan.stages}
    return tuple(_one(plan, stage, titles) for stage in plan.stages)


def _one(plan: Blueprint, stage: StageDef, titles: dict[str, str]) -> Ahead:
    gate = stage.gate
    return Ahead(
        stage,
        tuple(item.title for item in stage.items),
        tuple((rule.persona, rule.min) for rule in gate.rules) if gate else (),
        tuple(titles.get(key, key) for key in gate.send_back_to) if gate else (),
        tuple(one for one in plan.stages if stage.key in one.needs),
    )
