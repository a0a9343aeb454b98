"""The simulated blueprint: the shipped one's stages, people, gates and hand-offs, without its
computing. Pure.

Every step becomes a `noop` that waits for the same steps and forms. Checks that judge computed
figures are left out, for nothing is computed; those that judge forms, seats, and the few facts that
simulated workers report stay. So do the rules, the rounds and the deadlines of every gate.
"""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipelines.blueprints.shipped import shipped_text

SOURCE: Final = "tabular-classification"
KEY: Final = "simulated-classification"
TITLE: Final = "Tabular classification, simulated"
KEPT: Final = frozenset(
    {
        *("brief_complete", "owners_named", "go_no_go", "kpi_mapped", "contract_signed"),
        *("search_logged", "loads_in_clean_environment", "rollback_named", "rollback_ready"),
        *("alert_routes_set", "fresh_enough", "split_reproducible"),
    }
)
# What the kept checks read of steps; simulated workers report it.
FACTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "frame.value": {"completeness": 1.0, "missing": [], "kpi_mapped": True},
    "source.age": {"freshness": {"newest": "unknown", "age_days": None, "max_age_days": None}},
    "explore.split": {"reproducible": True, "digest": "simulated"},
    "explore.split_again": {"reproducible": True, "digest": "simulated"},
    "tune.search": {"tried": 12, "space_size": 48, "method": "drawn", "metric": "roc_auc"},
}
LOADING: Final = frozenset({"load_test"})  # the operation whose `loads` contracts judge
TEXTS: Final = ("text", "longtext")

Body = dict[str, Any]


def simulated() -> Body:
    """Return the blueprint, as a mapping to publish."""
    body = tomllib.loads(shipped_text(SOURCE))
    stages = [_stage(stage) for stage in body["stages"]]
    return {
        "key": KEY,
        "title": TITLE,
        "kind": "main",
        "summary": f"{SOURCE} as a simulated team works through it: nothing is computed.",
        "stages": stages,
    }


def loading_steps() -> dict[str, bool]:
    """Return the steps ("stage.step") whose `loads` is judged: whether a hand-off's contract does.

    Only those may be red: the sender computes a contract again, but a stage's own step would come
    out of the cache as it was.
    """
    body = tomllib.loads(shipped_text(SOURCE))
    found = {}
    for stage in body["stages"]:
        contract = stage.get("hand_off", {}).get("steps", ())
        for step in (*stage.get("steps", ()), *contract):
            if step["operation"] in LOADING:
                found[f"{stage['key']}.{step['key']}"] = step in contract
    return found


def _stage(stage: Body) -> Body:
    made = {**stage, "steps": [_step(stage, step) for step in stage.get("steps", ())]}
    made["items"] = [_item(item) for item in stage.get("items", ())]
    if "gate" in stage:
        gate = {name: value for name, value in stage["gate"].items() if name != "effect"}
        made["gate"] = {**gate, "checks": _kept(gate.get("checks", ()))}
    if "hand_off" in stage:
        given = stage["hand_off"]
        steps = [_step(stage, step) for step in given.get("steps", ())]
        made["hand_off"] = {**given, "contract": _kept(given.get("contract", ())), "steps": steps}
    return made


def _kept(checks: Sequence[Body]) -> list[Body]:
    return [check for check in checks if check["name"] in KEPT]


def _item(item: Body) -> Body:
    fields = [
        {name: value for name, value in field.items() if name != "suggest"}
        for field in item["fields"]
    ]
    return {**item, "fields": fields}


def _step(stage: Body, step: Body) -> Body:
    made: Body = {
        "key": step["key"],
        "title": step["title"],
        "operation": "noop",
        "params": {"message": _message(stage, step)},
    }
    waits = _results(step.get("inputs", {}).values())
    if waits:
        made["inputs"] = {"given": waits}
    if "after" in step:
        made["after"] = step["after"]
    return made


def _results(inputs: Any) -> list[str]:
    """Return the same steps' results; what a run is given or fed has no counterpart here."""
    refs = [ref for value in inputs for ref in ([value] if isinstance(value, str) else value)]
    made = [ref.rsplit(".", 1)[0] + ".result" for ref in refs if ref.count(".") == 2]
    return list(dict.fromkeys(made))


def _message(stage: Body, step: Body) -> Any:
    """Return what the step says: a text of the form it reads, so that a new answer is new work."""
    for value in step.get("params", {}).values():
        ref = value.get("ref", "") if isinstance(value, dict) else ""
        parts = ref.split(".")
        if parts[0] == "item" and parts[1] == stage["key"]:
            item = next(one for one in stage["items"] if one["key"] == parts[2])
            field = next(one for one in item["fields"] if one["kind"] in TEXTS and one["required"])
            return {"ref": f"item.{parts[1]}.{parts[2]}.{field['key']}", "default": ""}
    return f"{stage['key']}.{step['key']}"
