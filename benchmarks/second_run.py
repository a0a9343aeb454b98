"""A second run with one changed parameter: only what depends on it may run; prints JSON lines.

    python -m benchmarks.second_run

The first run computes S1 to S6 on all rows; the further ones differ from it in nothing, in a
parameter that only a check reads, in one that a step reads (and so may change its outputs), and in
one column fewer among the features, of which `share` is seconds computed against the first run.
"""

import shutil
import time
from collections.abc import Mapping
from typing import Any

from benchmarks import people  # before anything of Django, which it sets up
from benchmarks.flights import PARAMETERS, machine, say
from pipelines.blueprints.refs import Ref, RefKind
from pipelines.blueprints.shipped import shipped
from pipelines.runs.models import Attempt, Run
from portal.demo import script

CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"max_ece": 0.09},
    {"search_trials": PARAMETERS["search_trials"] + 1},
)
CLOCKED = {"source.age"}  # the time is one of its inputs, and another one each time
FEWER = {"columns": script.BEFORE[:-1], "reason": "The engine's kind says little."}
CHANGED_FORM = {".".join(script.CHOICE): FEWER}


def depends(changed: Mapping[str, Any]) -> set[str]:
    """Every step that reads one of the parameters, or what such a step made."""
    found: set[str] = set()
    for stage in shipped(script.BLUEPRINT).stages:
        for step in stage.all_steps():
            refs = [value for value in step.params.values() if isinstance(value, Ref)]
            reads = any(
                (ref.kind is RefKind.PARAMETER and ref.name in changed)
                or (ref.kind is RefKind.FIELD and f"{ref.stage}.{ref.name}" in changed)
                for ref in refs
            )
            sources = {
                f"{ref.stage}.{ref.name}"
                for ref in (*(ref for port in step.inputs.values() for ref in port), *refs)
                if ref.kind in (RefKind.OUTPUT, RefKind.FACT)
            }
            if reads or sources & found:
                found.add(f"{stage.key}.{step.key}")
    return found


def row(run: Run, wall: float, changed: Mapping[str, Any]) -> dict[str, Any]:
    """Which steps ran and which were served; `ran_without_need` has to be empty."""
    ran: list[str] = []
    served: list[str] = []
    seconds: dict[str, float] = {}
    for attempt in Attempt.objects.filter(run=run).select_related("step__stage").order_by("id"):
        name = f"{attempt.step.stage.key}.{attempt.step.key}"
        if attempt.cached_from_id is None:
            ran.append(name)
            seconds[name] = round(attempt.usage["wall_seconds"], 2)
        else:
            served.append(name)
    return {
        "changed": dict(changed),
        "wall": round(wall, 2),
        "ran": seconds,
        "served_from_cache": served,
        "ran_without_need": sorted(set(ran) - depends(changed) - CLOCKED),
    }


def main() -> None:
    """Print a line for each run."""
    hold = people.begin()
    try:
        carrying = people.Carrying(people.tables())
        try:
            carrying.warm()
            for number, changed in enumerate(({}, *CHANGES, CHANGED_FORM)):
                if changed is CHANGED_FORM:
                    carrying.forms[script.CHOICE] = FEWER
                began = time.perf_counter()
                run = carrying.start({} if changed is CHANGED_FORM else changed)
                carrying.carry(run, to="register")
                found = row(run, time.perf_counter() - began, changed)
                if number == 0:
                    first = sum(found["ran"].values())
                    del found["ran_without_need"]
                else:
                    found["share"] = round(sum(found["ran"].values()) / first, 3)
                    found["met"] = not found["ran_without_need"]
                what = f"run {number + 1}"
                say(benchmark="second_run", what=what, **found, **machine())
        finally:
            carrying.close()
    finally:
        if hold is not None:
            hold.release()
        shutil.rmtree(people.FOLDER, ignore_errors=True)


if __name__ == "__main__":
    main()
