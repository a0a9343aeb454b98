"""Blueprint versions as plans, parsed once per process: versions never change."""

from pipelines.blueprints.parse import parse
from pipelines.blueprints.spec import Blueprint
from pipelines.usecases.models import BlueprintVersion

_PLANS: dict[str, Blueprint] = {}
MOST = 256


def plan_of(version: BlueprintVersion) -> Blueprint:
    """Return the plan of a version; no query."""
    if version.digest not in _PLANS:
        if len(_PLANS) >= MOST:
            _PLANS.clear()
        _PLANS[version.digest] = parse(version.body)
    return _PLANS[version.digest]
