"""A check and an effect that only newer code has."""

from collections.abc import Mapping

from pipelines.checks.contract import CheckResult
from pipelines.runs.effects import EffectContext


def check(facts: Mapping[str, object], params: Mapping[str, object]) -> CheckResult:
    """Pass."""
    return CheckResult("pass", "newer code says so", None, None, None, None, None)


def effect(context: EffectContext) -> None:
    """Write a word into the run's ledger."""
    context.command.recorder.record(context.run.stream, "newer.effect", subject=("", None))
