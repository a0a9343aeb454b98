"""Evidence: what a gate's decisions bind to, and the checks computed on it."""

import hashlib
from collections.abc import Mapping, Sequence

from personas.errors import Busy
from personas.ledger import canonical
from pipelines import catalogue
from pipelines.blueprints.refs import Json, Ref
from pipelines.blueprints.spec import CheckUse
from pipelines.checks.contract import CheckFunction, CheckResult
from pipelines.runs.models import Stage
from pipelines.runs.rows import Rows


def digest_of(value: object) -> str:
    """Return the SHA-256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(canonical(value)).hexdigest()


def subject_of(rows: Rows, stage: Stage) -> dict[str, Json]:
    """Return the digests of what the stage's round made: outputs and facts of steps, items' data.

    Neither the round nor any time is part of it: the same content is the same subject.
    """
    steps: dict[str, Json] = {}
    for (pk, key), step in rows.with_results().steps.items():
        if pk == stage.pk and step.result is not None:
            seen: dict[str, Json] = {
                "outputs": {n: o["digest"] for n, o in sorted(step.result.outputs.items())},
                "facts": digest_of(_stable(step.result.facts)),
            }
            if step.result.package:
                seen["package"] = step.result.package
            steps[key] = seen
    items: dict[str, Json] = {
        key: item.data_digest for (pk, key), item in rows.items.items() if pk == stage.pk
    }
    return {"stage": stage.key, "steps": steps, "items": items}


def _stable(facts: Mapping[str, Json]) -> dict[str, Json]:
    """Facts without measured durations, which differ between equal results."""
    return {
        key: _stable(value) if isinstance(value, dict) else value
        for key, value in facts.items()
        if not key.endswith("_seconds")
    }


def judge(
    rows: Rows, uses: Sequence[CheckUse], facts: Mapping[str, Mapping[str, Json]]
) -> list[tuple[CheckUse, CheckResult]]:
    """Compute checks on facts. Pure functions of recorded outputs, so they may run under a lock."""
    results = []
    for use in uses:
        params = {
            name: rows.value(value) if isinstance(value, Ref) else value
            for name, value in use.params.items()
        }
        results.append((use, _check(use.name)(facts, params)))
    return results


def _check(name: str) -> CheckFunction:
    """Return the check. Raises Busy where only newer code has it: trying again will help."""
    try:
        return catalogue.check(name)
    except catalogue.Unknown as error:
        raise Busy("newer_code", f"Newer code is coming in: {error}.") from error
