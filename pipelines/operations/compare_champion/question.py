"""Two models can be compared when they were asked the same question."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.operations.contract import Json, OperationError

ASKED = ("target", "classes")


def same_question(challenger: Mapping[str, Json], champion: Mapping[str, Json]) -> None:
    """Raise OperationError where the manifests name another target, or other classes.

    Both are judged by the challenger's labels: a champion whose positive class is the other one
    would look as bad as it is good.
    """
    for name in ASKED:
        mine, theirs = challenger.get(name), champion.get(name)
        if mine != theirs and theirs is not None:
            raise OperationError(
                "another_question",
                f"the champion's {name} is {theirs!r}, the challenger's {mine!r}",
                field="champion",
                value=theirs,
                rule=f"has the challenger's {name}",
            )
