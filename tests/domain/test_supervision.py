"""An attempt that cannot even be supervised ends at once, and says why."""

from typing import Any
from unittest import mock

import pytest
from django.db import connections

from pipelines.runs.models import Attempt
from pipelines.runs.worker import Worker
from tests import factories
from tests.cast import Cast


class DefectLane(factories.InlineLane):
    """A lane whose child speaks nonsense."""

    number = 0

    def perform(self, work: Any, beat: Any, *, beat_every: float) -> Any:
        """Fail as no operation does."""
        raise ValueError("no JSON from the child\0")


def test_a_defect_around_the_child_fails_the_step_at_once(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    run = factories.hello_run(cast)
    worker = Worker(queues=("cpu",), lanes=0)
    lane: Any = DefectLane()
    with mock.patch.object(connections["default"], "close_if_unusable_or_obsolete"):
        assert worker.perform_next(lane)
    attempt = Attempt.objects.get(run=run)
    assert (attempt.state, attempt.error["code"]) == ("FAILED", "supervision")
    assert attempt.error["message"] == "ValueError: no JSON from the child"
    assert run.items.filter(kind="attention", context__cause="step_failed").exists()
