"""A run in which nothing moves any more is found after a minute, moves again, and is told of."""

import logging
import threading
from datetime import timedelta

import pytest

from personas.models import BatonNow
from pipelines.runs.actions import attempts
from pipelines.runs.models import Run
from pipelines.runs.queries.workshop import workshop
from pipelines.runs.sweeper import Sweeper
from tests.cast import Cast
from tests.domain import engine as f


@pytest.fixture
def stuck(cast: Cast) -> Run:
    """A run whose first step was accepted, and nobody looked at what follows."""
    steps = [f.step("a", params={"message": "a"}), f.step("b", after=["a"])]
    run = f.run(cast, f.stage("one", "BA", steps=steps))
    held = f.claim()
    output = {"result": f.output("a")}
    attempts.complete(held=held, outputs=output, facts={}, usage={}, log="", go_on=False)
    assert f.maybe_claim() is None
    return run


def sweep() -> None:
    Sweeper(poke=lambda queue, pk: True, stopping=threading.Event()).sweep()


def test_a_stuck_run_is_left_alone_for_a_minute(stuck: Run) -> None:
    sweep()
    assert f.maybe_claim() is None


def test_a_stuck_run_moves_again_and_the_log_says_so(
    stuck: Run, caplog: pytest.LogCaptureFixture
) -> None:
    Run.objects.filter(pk=stuck.pk).update(moved_at=BatonNow() - timedelta(minutes=2))
    assert [run.pk for run in workshop().stuck] == [stuck.pk]
    with caplog.at_level(logging.ERROR, logger="pipelines.runs.sweeper"):
        sweep()
    assert f"run {stuck.pk} was stuck and moved again" in caplog.text
    assert f.attempt_of(stuck, "b").state == "QUEUED"
    f.perform()
    stuck.refresh_from_db()
    assert stuck.state == "SUCCEEDED"
