"""Every operation, check, effect and feed by name: explicit tables, resolved lazily.

`spec` imports an operation's light spec module; `resolve` imports its compute
module with the numeric libraries and is called in worker children only.
What installed packages bring comes in beside the tables, through `brought`.
"""

from __future__ import annotations

from pipelines.catalogue.checks import CHECKS, check
from pipelines.catalogue.effects import (
    EFFECTS,
    FEEDS,
    LAPSES,
    LOOKOUTS,
    UNDOS,
    effect,
    feed,
    lookouts,
    on_lapse,
    undo,
)
from pipelines.catalogue.known import OtherPackage, Unknown
from pipelines.catalogue.operations import (
    OPERATIONS,
    brought_operations,
    found,
    knows,
    listed,
    names,
    package,
    resolve,
    same_code,
    spec,
    why_not,
)

__all__ = [
    "CHECKS",
    "EFFECTS",
    "FEEDS",
    "LAPSES",
    "LOOKOUTS",
    "OPERATIONS",
    "UNDOS",
    "OtherPackage",
    "Unknown",
    "brought_operations",
    "check",
    "effect",
    "feed",
    "found",
    "knows",
    "listed",
    "lookouts",
    "names",
    "on_lapse",
    "package",
    "resolve",
    "same_code",
    "spec",
    "undo",
    "why_not",
]
