"""What is wrong with a column as the target, from what was found in the file. Pure."""

from collections.abc import Mapping
from typing import Any

MOST_CLASSES = 20  # as the operations take them: `learning.class_names.MOST_CLASSES`


def target_problems(
    found: Mapping[str, Any], target: str, *, positive: str = ""
) -> dict[str, list[str]]:
    """Return the problems of a target by field; {} for one that can be learned, or none chosen."""
    columns = {column["name"]: column for column in found.get("columns", [])}
    column = columns.get(target)
    if column is None:
        return {}
    distinct, task = int(column.get("distinct") or 0), column.get("task")
    about = "" if column.get("distinct_exact", True) else "about "
    if distinct < 2:
        return {"target": [f"{target} has {distinct} value(s): there is nothing to tell apart"]}
    if task == "classification" and distinct > MOST_CLASSES:
        text = f"{target} has {about}{distinct:,} classes, at most {MOST_CLASSES} can be told apart"
        return {"target": [f"{text}: join rare ones, or choose another column"]}
    if task == "classification" and distinct > 2 and positive:
        text = f"{target} has {distinct} classes, and none of them is the positive: leave it empty"
        return {"positive": [text]}
    return {}
