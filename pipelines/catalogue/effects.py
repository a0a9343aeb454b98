"""What steps and gates set off outside of their run, and what is made for them, by name."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.catalogue.known import attribute, known

EFFECTS: dict[str, str] = {
    "register_version": "pipelines.registry.effects.register_version",
    "approve_version": "pipelines.registry.effects.approve_version",
    "deploy_shadow": "pipelines.registry.effects.deploy_shadow",
    "deploy_canary": "pipelines.registry.effects.deploy_canary",
    "go_live": "pipelines.registry.effects.go_live",
    "raise_alerts": "pipelines.monitoring.effects.raise_alerts",
}

# What undoes an effect when its stage is left: sent back, superseded, or ended with its run.
UNDOS: dict[str, str] = {
    "deploy_shadow": "pipelines.registry.effects.end_trial",
    "deploy_canary": "pipelines.registry.effects.end_trial",
}

# What learns that an overdue finding has lapsed the approval of a gate, in this order.
LAPSES: tuple[str, ...] = (
    "pipelines.registry.effects.lapse_versions",
    "pipelines.monitoring.effects.alert_lapse",
)

# What looks after things by itself beside the sweeper, every few seconds in each engine process.
LOOKOUTS: tuple[str, ...] = (
    "pipelines.readiness.lookout.look_out",
    "pipelines.notifications.mail.look_out",
)

FEEDS: dict[str, str] = {
    "now": "pipelines.serving.feeds.now",
    "rollback_drill": "pipelines.serving.drill.rollback_drill",
    "champion": "pipelines.serving.feeds.champion",
    "shadow_window": "pipelines.serving.feeds.shadow_window",
    "canary_window": "pipelines.serving.feeds.canary_window",
    "live_window": "pipelines.serving.feeds.live_window",
    "labelled_window": "pipelines.serving.feeds.labelled_window",
    "reference": "pipelines.serving.feeds.reference",
    "reference_predictions": "pipelines.serving.feeds.reference_predictions",
}


def effect(name: str) -> Callable[..., object]:
    """The action that a step or gate triggers outside its run; raises Unknown."""
    return known(EFFECTS, name, "effect")


def undo(name: str) -> Callable[..., object] | None:
    """The action that undoes an effect, or None where nothing has to be undone."""
    path = UNDOS.get(name)
    return None if path is None else attribute(path)


def on_lapse() -> tuple[Callable[..., object], ...]:
    """The actions that an approval's lapse calls, each with a LapseContext."""
    return tuple(attribute(path) for path in LAPSES)


def lookouts() -> tuple[Callable[[], object], ...]:
    """The functions that an engine process calls every few seconds, apart from its sweeps."""
    return tuple(attribute(path) for path in LOOKOUTS)


def feed(name: str) -> Callable[..., object]:
    """The function that makes a system artefact just before an attempt; raises Unknown."""
    return known(FEEDS, name, "feed")
