"""Operations from packages in runs: whose code it was, what waits for it, what fails."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client
from rest_framework.test import APIClient

from personas.errors import Conflict, Invalid
from pipelines import brought, catalogue, confinement
from pipelines.reperform.records import recorded
from pipelines.runs import admission, apart, presence
from pipelines.runs.actions import attempts, runs, steps
from pipelines.runs.lanes import Lane
from pipelines.runs.models import Attempt, Run
from pipelines.runs.worker import Worker
from tests import brought as b
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.domain.conftest import Later

pytestmark = pytest.mark.django_db
BODIES = {
    "odd": """
if context.text("text") == "fork":
    while True:
        os.fork()
return made(context, text=context.text("text"))
"""
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    b.install(tmp_path / "site", BODIES)
    with b.on_path(tmp_path / "site", monkeypatch) as found:
        yield found


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[[], int]]:
    """Perform what is queued in real children; says how many attempts that took."""
    lane = Lane(0, tmp_path)

    def drain() -> int:
        made, done = Worker(queues=("cpu", "memory"), lanes=0), 0
        with mock.patch.object(connections["default"], "close_if_unusable_or_obsolete"):
            while done < 10 and made.perform_next(lane):
                done += 1
        return done

    yield drain
    lane.kill()


def odd(cast: Cast, text: str = "a", **more: Any) -> Run:
    step = {"key": "work", "operation": "odd", "params": {"text": text}}
    return f.run(cast, f.stage("one", "BA", steps=[step]), **more)


def upgraded(site: Path) -> None:
    """Another version of the package is installed."""
    b.install(site, {"odd": BODIES["odd"] + "\n# newer"}, version="1.1")
    brought.forget()


def whose(attempt: Attempt) -> tuple[str, str]:
    return attempt.package["distribution"], attempt.package["version"]


def test_a_run_computes_with_it_and_says_whose_it_was(
    site: Path, worker: Callable[[], int], cast: Cast, client: Client
) -> None:
    run = odd(cast)
    assert worker() == 1
    attempt = f.attempt_of(run, "work")
    assert attempt.state == "SUCCEEDED", attempt.error
    assert (attempt.facts["text"], whose(attempt)) == ("a", ("odd-operations", "1.0"))
    assert attempt.usage["enforced"] == confinement.available()
    event = next(e for e in f.events_of(run) if e.type == "attempt.complete")
    assert event.data["package"] == attempt.package
    api = APIClient()
    api.force_login(cast.priya)
    told = api.get(f"/api/v1/attempts/{attempt.pk}").json()
    assert told["package"] == attempt.package
    assert told["usage"]["enforced"]["memory"]
    listed = {one["name"]: one for one in api.get("/api/v1/operations").json()["operations"]}
    assert listed["odd"]["package"] == attempt.package
    assert listed["noop"]["package"] is None
    lineage = api.get(f"/api/v1/runs/{run.pk}/lineage").content.decode()
    assert "odd v1 of odd-operations 1.0" in lineage
    client.force_login(cast.amara)
    page = client.get(f"/runs/{run.pk}/").content.decode()
    assert "Code of odd-operations 1.0" in page
    assert ("not enforced" in page) == bool(confinement.missing(confinement.available()))
    with mock.patch("pipelines.runs.queries.steps.missing", return_value=["writes"]):
        page = client.get(f"/runs/{run.pk}/").content.decode()
    assert "not enforced where it ran: writes" in page


def test_another_version_of_the_package_never_answers_from_the_cache(
    site: Path, worker: Callable[[], int], cast: Cast
) -> None:
    use_case = f.use_case(cast)
    first = odd(cast, on=use_case)
    assert worker() == 1
    second = odd(cast, on=use_case)
    assert worker() == 0
    assert f.attempt_of(second, "work").cached_from == f.attempt_of(first, "work")
    upgraded(site)
    third = odd(cast, on=use_case)
    assert worker() == 1
    found = f.attempt_of(third, "work")
    assert (found.cached_from, whose(found)) == (None, ("odd-operations", "1.1"))
    (of_first,) = recorded(first)
    assert "was computed by odd-operations 1.0" in of_first.not_repeatable
    assert "odd-operations 1.1 here" in of_first.not_repeatable
    (of_third,) = recorded(third)
    assert of_third.not_repeatable == ""


def test_its_failure_is_asked_about_and_the_run_goes_on(
    site: Path, worker: Callable[[], int], cast: Cast
) -> None:
    run = odd(cast, "fork")
    assert worker() == 1
    step = f.step_of(run, "work")
    assert step.state == "FAILED"
    error = f.attempt_of(run, "work").error
    assert error["code"] == "max_processes"
    assert error["message"].startswith("odd (odd-operations 1.0): It had ")
    assert f.attention(run) == ["step_failed"]
    steps.retry(actor=acting(cast.amara), step=step, overrides={"text": "b"})
    assert worker() == 1
    assert f.step_of(run, "work").state == "SUCCEEDED"


def test_a_failed_one_can_be_cancelled(site: Path, worker: Callable[[], int], cast: Cast) -> None:
    run = odd(cast, "fork")
    worker()
    runs.cancel(actor=acting(cast.amara), run=run, reason="not worth it")
    run.refresh_from_db()
    assert run.state == "CANCELLED"


def test_what_was_queued_for_another_version_waits_for_it(
    site: Path, worker: Callable[[], int], cast: Cast, later: Later
) -> None:
    run = odd(cast)
    upgraded(site)
    assert worker() == 1
    step = f.step_of(run, "work")
    assert step.state == "RETRY_WAIT"
    assert f.attempt_of(run, "work").progress_text == (
        "It waits for its package: odd is of odd-operations 1.0;"
        " this worker has odd-operations 1.1."
    )
    later(seconds=attempts.CODE_SECONDS)
    steps.wake(step_id=step.pk)
    assert worker() == 1
    assert f.step_of(run, "work").state == "SUCCEEDED"
    assert whose(f.step_of(run, "work").result) == ("odd-operations", "1.1")


def test_who_lacks_the_package_takes_none_of_it(
    site: Path, worker: Callable[[], int], cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = odd(cast)
    with monkeypatch.context() as without:
        without.setattr("sys.path", [place for place in sys.path if place != str(site)])
        brought.forget()
        assert worker() == 0
        made = Worker(queues=("cpu",), lanes=0)
        made.announce()
        assert presence.alive().lacks("cpu", "odd") == "no worker that offers cpu knows odd"
    brought.forget()
    assert f.attempt_of(run, "work").state == "QUEUED"
    assert worker() == 1


def test_a_run_whose_package_is_gone_can_be_retried_and_cancelled(
    site: Path, worker: Callable[[], int], cast: Cast
) -> None:
    run = odd(cast, "fork")
    worker()
    step = f.step_of(run, "work")
    for info in site.glob("*.dist-info"):
        shutil.rmtree(info)
    brought.forget()
    with pytest.raises(Conflict) as refused:
        steps.retry(actor=acting(cast.amara), step=step, overrides={"text": "b"})
    assert "no installed package brings it" in refused.value.message
    steps.retry(actor=acting(cast.amara), step=step)
    assert worker() == 0
    assert f.attempt_of(run, "work").state == "QUEUED"
    runs.cancel(actor=acting(cast.amara), run=run, reason="the package is gone")
    run.refresh_from_db()
    assert run.state == "CANCELLED"


def test_the_console_and_check_name_what_is_brought_and_what_is_broken(
    site: Path, cast: Cast, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    b.install(site, {"bad": "pass"}, distribution="bad-operations", package="bad_operations")
    (site / "bad_operations" / "bad" / "spec.py").write_text("raise RuntimeError('broken')")
    brought.forget()
    Worker(queues=("cpu",), lanes=0).announce()
    cast.priya.is_staff = True
    cast.priya.save()
    client.force_login(cast.priya)
    page = client.get("/console/").content.decode()
    assert "odd-operations 1.0" in page
    assert page.count("RuntimeError: broken") == 2  # as the web process and as the worker sees it
    call_command("check")
    assert "Operation bad of bad-operations 1.0: RuntimeError: broken" in capsys.readouterr().err
    bad = {"key": "work", "operation": "bad"}
    with pytest.raises(Invalid) as refused:
        f.publish_blueprint(
            actor=acting(cast.priya), source=f.plan(f.stage("one", "BA", steps=[bad]))
        )
    assert "cannot be used: bad-operations 1.0: RuntimeError: broken" in str(refused.value.fields)


def test_without_landlock_it_reads_copies(
    site: Path, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd(cast)
    held = f.claims.claim(
        queues=["cpu"], operations=["odd"], owner=f.OWNER, worker="test", lease=60
    )
    assert held is not None
    content = tmp_path / "content"
    content.write_text("kept")
    admission.lend(held, content, tmp_path / "linked")
    assert (tmp_path / "linked").is_symlink() == apart.writes_are_held()
    monkeypatch.setattr(apart, "writes_are_held", lambda: False)
    admission.lend(held, content, tmp_path / "copied")
    assert not (tmp_path / "copied").is_symlink()
    held.inputs["ports"] = {"table": [{"name": "t", "digest": "d" * 64}]}
    given = {"table": str(tmp_path / "copied")}
    assert admission.copied(held, given, {}) == {given["table"]: "d" * 64}


def test_the_evidence_names_the_package(site: Path, worker: Callable[[], int], cast: Cast) -> None:
    """The digest that decisions bind to is another one where other code computed the same."""
    step = {"key": "work", "operation": "odd", "params": {"text": "a"}}
    seen = []
    for upgrade in (False, True):
        if upgrade:
            upgraded(site)
        run = f.run(cast, f.stage("one", "BA", steps=[step], gate=f.gate("DS")))
        assert worker() == 1
        seen.append(f.gate_of(run, "one").subject_digest)
    assert seen[0] != seen[1]
    assert catalogue.package("odd") is not None
