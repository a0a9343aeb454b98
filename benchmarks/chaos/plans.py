"""What is run: small plans with gates, hand-offs, forms, branches, a cache, steps that fail."""

import random
from typing import Any

KEYS = ("chaos-chain", "chaos-gated", "chaos-branches")
PARAMETERS = [
    {"key": "text", "kind": "str", "title": "Text", "default": ""},
    {"key": "seconds", "kind": "float", "title": "Seconds", "default": 0.0},
    {"key": "fail", "kind": "str", "title": "Fail", "default": ""},
]


def _step(key: str, **more: Any) -> dict[str, Any]:
    given = {
        "message": {"ref": "run.text"},
        "seconds": {"ref": "run.seconds"},
        "rows": sum(map(ord, key)),  # or one step's result would be served for another's
        **more.pop("params", {}),
    }
    return {"key": key, "operation": "noop", "params": given, **more}


def _stage(key: str, persona: str, **more: Any) -> dict[str, Any]:
    steps = more.pop("steps", None) or [_step(f"{key}_work")]
    return {"key": key, "title": key.title(), "persona": persona, "steps": steps,
            "max_rounds": 6, **more}  # fmt: skip


def _gate(*personas: str, back: tuple[str, ...]) -> dict[str, Any]:
    rules = [{"persona": persona, "min": 1} for persona in personas]
    return {"rules": rules, "send_back_to": list(back), "on_reject": "end_rejected"}


def _chain() -> list[dict[str, Any]]:
    """Six steps, one after the other; one of them may have to be helped by a person."""
    steps = [
        _step(f"s{n}", after=[f"s{n - 1}"] if n else [],
              params={"fail": {"ref": "run.fail"}} if n == 3 else {})
        for n in range(6)
    ]  # fmt: skip
    return [_stage("chain", "BA", steps=steps)]


def _gated() -> list[dict[str, Any]]:
    """Analyst to engineer to scientist: two hand-offs, and a gate of two people."""
    return [
        _stage("ask", "BA"),
        _stage("prepare", "DE", needs=["ask"], gate=_gate("DS", "MLE", back=("prepare", "ask"))),
        _stage("answer", "DS", needs=["prepare"]),
    ]


def _branches() -> list[dict[str, Any]]:
    """Two branches, a form, a join under review."""
    text = {"key": "text", "label": "Text", "kind": "text", "required": True}
    form = {"key": "note", "kind": "form", "title": "Note", "fields": [text]}
    return [
        _stage("source", "DE"),
        _stage("left", "DE", needs=["source"]),
        _stage("right", "MLR", needs=["source"], items=[form]),
        _stage("join", "DE", needs=["left", "right"], gate=_gate("DS", back=("left", "source"))),
    ]


def plans() -> list[dict[str, Any]]:
    """Every plan, as a blueprint."""
    made = zip(KEYS, (_chain(), _gated(), _branches()), strict=True)
    return [
        {"key": key, "title": key, "kind": "main", "parameters": PARAMETERS, "stages": stages}
        for key, stages in made
    ]


def dice(random_: random.Random, number: int) -> dict[str, Any]:
    """The body of the run of that number; every fourth computes what an earlier one did."""
    return {
        "blueprint": random_.choice(KEYS),
        "seed": number - number % 4 if number % 4 == 3 else number,
        "parameters": {
            "text": "chaos",
            "seconds": random_.choice((0.0, 0.0, 0.05, 0.2, 0.6)),
            "fail": random_.choices(("", "error", "retryable"), (14, 1, 1))[0],
        },
        "start": True,
    }
