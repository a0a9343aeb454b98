"""A shadow ends with the stage that deployed it; a run keeps to its use case's own gates."""

import pytest

from personas.errors import Invalid
from personas.ledger import Actor
from pipelines.registry.models import Deployment
from pipelines.runs.actions import runs
from pipelines.runs.models import Run
from tests import factories
from tests.cast import Cast
from tests.release import cause, release, step_with

pytestmark = pytest.mark.django_db


def test_a_run_keeps_to_the_blueprint_of_its_use_case(cast: Cast) -> None:
    use_case = factories.use_case(cast)
    other = factories.published("sequence")
    with pytest.raises(Invalid) as refused:
        runs.create(actor=Actor.person(cast.amara), use_case=use_case, version=other)
    assert "follows hello, not sequence" in refused.value.fields["blueprint"][0]
    assert not use_case.runs.exists()


def test_a_watch_may_follow_its_own_blueprint(cast: Cast) -> None:
    use_case = factories.use_case(cast)
    answer = runs.create(
        actor=Actor.person(cast.sofia), use_case=use_case, version=factories.published("watch")
    )
    assert answer.data["label"] == "Watch 1"


def test_a_cancelled_run_s_shadow_answers_no_more(cast: Cast) -> None:
    made = release()
    cause("deploy_shadow", made.run)
    Run.objects.filter(pk=made.run.pk).update(version=factories.published("tabular-classification"))
    step_with(made.run, "deploy.smoke", {}, {})
    runs.cancel(actor=Actor.person(cast.priya), run=made.run, reason="the wrong month")
    shadow = Deployment.objects.get()
    assert shadow.ended_at is not None
    assert "was left" in shadow.ended_reason
