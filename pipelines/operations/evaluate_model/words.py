"""What a decision means in whole rows out of a hundred."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.operations.contract import Json


def sentences(counts: Mapping[str, Json], *, target: str, positive: str) -> list[str]:
    """Plain sentences; a share of nothing is said in words."""
    what = f"{target} = {positive}"
    precision, recall = _of_100(counts["precision"]), _of_100(counts["recall"])
    flagged = _of_100(counts["flagged_share"])
    found = [f"Of 100 rows, {flagged} are flagged."]
    if precision is not None:
        found.append(f"Of 100 flagged, {precision} have {what}.")
    if recall is not None:
        found.append(f"Of 100 with {what}, {recall} are flagged and {100 - recall} are missed.")
    return found


def _of_100(share: Json) -> int | None:
    return round(100 * share) if isinstance(share, int | float) else None
