"""What earns a point, half of one, or none: one rule for each of the 28 tests. Pure."""

from collections.abc import Mapping
from typing import Final

from pipelines.readiness.rules import data, infra, model, monitor
from pipelines.readiness.rules.findings import Finding, Rule

RULES: Final[Mapping[str, Rule]] = {**data.RULES, **model.RULES, **infra.RULES, **monitor.RULES}

__all__ = ["RULES", "Finding", "Rule"]
