"""What people call the parts of a run: titles from its blueprint, which the process remembers."""

from typing import Any

from pipelines.blueprints.graph import graph
from pipelines.blueprints.spec import StageDef
from pipelines.runs.models import Run, Stage
from pipelines.runs.rows import blueprint_of, stage_def


def definition_of(run: Run, key: str) -> StageDef:
    """Return what the run's blueprint says of a stage, or last said before the run moved."""
    return stage_def(run, key)


def stage_title(run: Run, key: str) -> str:
    """Return the title of a stage."""
    return definition_of(run, key).title


def step_title(stage: Stage, key: str) -> str:
    """Return the title of a step of the stage or of its hand-off."""
    steps = definition_of(stage.run, stage.key).all_steps()
    return next((step.title for step in steps if step.key == key), key)


def opened_by(run: Run, key: str) -> list[StageDef]:
    """Return the stages that may begin once this one is done."""
    blueprint = blueprint_of(run)
    return [derived.stage for derived in graph(blueprint).stages.values() if key in derived.needs]


def personas_asked(rules: list[dict[str, Any]]) -> str:
    """Return the people a gate asks for ("1 DS and 1 BA")."""
    parts = [_asked(rule) for rule in rules]
    if len(parts) < 2:
        return "".join(parts) or "nobody"
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _asked(rule: dict[str, Any]) -> str:
    """One rule in words ("1 DS"); of a percentage how many of whom ("3 of 5 DS (60 %)")."""
    if not rule.get("percent"):
        return f"{rule['min']} {rule['persona']}"
    among = f" of {len(rule['base'])}" if rule.get("base") else ""
    return f"{rule['min']}{among} {rule['persona']} ({rule['percent']} %)"
