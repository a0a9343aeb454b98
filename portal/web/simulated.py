"""Every page of a simulation says that it is one, and what time it is there."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from pipelines.runs.queries.clock import now


def simulated(request: HttpRequest) -> dict[str, object]:
    """Return the simulated time for templates; None where time is real."""
    return {"simulated": SimpleLazyObject(now) if settings.SIMULATION else None}
