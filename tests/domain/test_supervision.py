"""An attempt that cannot even be supervised ends at once, and says why."""

from typing import Any
from unittest import mock

import pytest
from django.db import connections

from personas.errors import Conflict
from pipelines import catalogue
from pipelines.runs.models import Attempt
from pipelines.runs.worker import Worker
from tests import factories
from tests.cast import Cast
from tests.domain import engine as f


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


def lapsed(context: Any) -> None:
    """What the registry's effects answer for a version whose approval lapsed."""
    raise Conflict("approval_lapsed", "Version 3 is LAPSED: a finding was overdue.", state="LAPSED")


def test_an_effect_that_is_refused_fails_its_step_by_name(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deploying a lapsed version ends as FAILED with the reason, not as LOST after a lease."""
    monkeypatch.setitem(catalogue.EFFECTS, "deploy_shadow", f"{__name__}.lapsed")
    step = f.step("deploy", params={"message": "x"}, effect="deploy_shadow")
    run = f.run(cast, f.stage("one", "OPS", steps=[step]))
    assert factories.work_off() == 1
    attempt = Attempt.objects.get(run=run)
    assert (attempt.state, attempt.error["code"]) == ("FAILED", "approval_lapsed")
    assert "Version 3 is LAPSED: a finding was overdue." in attempt.error["message"]
    assert f.attention(run) == ["step_failed"]
    assert "effect.caused" not in f.events(run)


def test_an_effect_that_refuses_a_cached_result_fails_its_own_step(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step before it is done by then, and stays so."""
    monkeypatch.setitem(catalogue.EFFECTS, "deploy_shadow", f"{__name__}.lapsed")
    params = {"message": "known before"}
    f.run(cast, f.stage("one", "OPS", steps=[f.step("deploy", params=params)]))
    assert factories.work_off() == 1
    first = f.step("first", params={"message": "not known before"})
    deploy = f.step("deploy", params=params, effect="deploy_shadow", after=["first"])
    run = f.run(cast, f.stage("one", "OPS", steps=[first, deploy]))
    assert factories.work_off() == 2
    assert f.step_of(run, "first").state == "SUCCEEDED"
    attempt = f.attempt_of(run, "deploy")
    assert (attempt.state, attempt.error["code"]) == ("FAILED", "approval_lapsed")
    assert f.step_of(run, "deploy").attempts.count() == 1
    assert "effect.caused" not in f.events(run)
