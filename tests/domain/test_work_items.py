"""Work items: claim, release, draft, complete; taking and assigning stages."""

import pytest

from personas.errors import Conflict, Invalid, NotAllowed
from pipelines.runs.actions import items, stages
from pipelines.runs.models import Run, WorkItem
from tests.cast import Cast, acting
from tests.domain import engine as f


@pytest.fixture
def run(cast: Cast) -> Run:
    """A data scientist's stage with a form; nobody owns it yet."""
    return f.run(cast, f.stage("look", "DS", items=[f.form("brief")]))


def item(run: Run) -> WorkItem:
    return f.item_of(run, "brief")


def test_who_claims_the_first_item_owns_the_stage(cast: Cast, run: Run) -> None:
    items.claim(actor=acting(cast.sofia), item=item(run))
    assert (item(run).state, item(run).holder) == ("ASSIGNED", cast.sofia)
    assert f.stage_of(run, "look").owner == cast.sofia


def test_a_second_claim_hears_of_the_first(cast: Cast, run: Run) -> None:
    first = items.claim(actor=acting(cast.sofia), item=item(run))
    assert items.claim(actor=acting(cast.sofia), item=item(run)).data == first.data
    with pytest.raises(Conflict) as error:
        items.claim(actor=acting(cast.noor), item=item(run))
    assert (error.value.code, error.value.data["by"]) == ("claimed_by_other", str(cast.sofia))


@pytest.mark.parametrize("login", ["amara", "iris", "priya"])
def test_only_candidates_claim_or_complete(cast: Cast, run: Run, login: str) -> None:
    user = getattr(cast, login)
    with pytest.raises(NotAllowed):
        items.claim(actor=acting(user), item=item(run))
    with pytest.raises(NotAllowed):
        f.fill(user, item(run))


def test_a_released_item_keeps_its_draft(cast: Cast, run: Run) -> None:
    items.claim(actor=acting(cast.sofia), item=item(run))
    items.save_draft(
        actor=acting(cast.sofia), item=item(run), data={"text": "half"}, version=item(run).version
    )
    with pytest.raises(NotAllowed):
        items.unclaim(actor=acting(cast.noor), item=item(run))
    items.unclaim(actor=acting(cast.sofia), item=item(run))
    assert (item(run).state, item(run).holder, item(run).draft) == ("OPEN", None, {"text": "half"})
    items.claim(actor=acting(cast.noor), item=item(run))


def test_an_old_copy_is_refused(cast: Cast, run: Run) -> None:
    old = item(run)
    items.claim(actor=acting(cast.sofia), item=old)
    with pytest.raises(Conflict) as error:
        items.save_draft(actor=acting(cast.sofia), item=old, data={}, version=old.version)
    assert error.value.code == "stale_version"
    with pytest.raises(Conflict):
        items.complete(actor=acting(cast.sofia), item=old, data={"text": "x"}, version=old.version)
    with pytest.raises(Conflict) as other:
        items.save_draft(actor=acting(cast.noor), item=old, data={}, version=item(run).version)
    assert other.value.code == "claimed_by_other"


def test_a_form_is_judged_whole(cast: Cast, run: Run) -> None:
    with pytest.raises(Invalid) as error:
        f.fill(cast.sofia, item(run), words="x")
    assert set(error.value.fields) == {"data.text", "data.words"}
    assert item(run).state == "OPEN"


def test_completing_moves_the_run_on(cast: Cast, run: Run) -> None:
    f.fill(cast.sofia, item(run), text="all of it")
    done = item(run)
    assert (done.state, done.completed_by, done.data) == (
        "COMPLETED", cast.sofia, {"text": "all of it"},
    )  # fmt: skip
    assert len(done.data_digest) == 64
    run.refresh_from_db()
    assert run.state == "SUCCEEDED"


def test_a_completed_item_says_who_and_when(cast: Cast) -> None:
    run = f.run(cast, f.stage("look", "DS", items=[f.form("brief"), f.form("other")]))
    f.fill(cast.sofia, item(run))
    with pytest.raises(Conflict) as error:
        f.fill(cast.noor, item(run))
    assert (error.value.code, error.value.data["by"]) == ("item_closed", str(cast.sofia))


def test_an_item_waits_for_what_it_names(cast: Cast) -> None:
    run = f.run(
        cast,
        f.stage("look", "DS", steps=[f.step("work")], items=[f.form("brief", after=["work"])]),
    )
    assert not run.items.exists()
    f.perform()
    assert item(run).state == "OPEN"


def test_attention_is_acted_upon_not_filled_in(cast: Cast) -> None:
    run = f.run(cast, f.stage("look", "DS", steps=[f.step("work")]))
    f.fail(f.claim())
    asked = f.item_of(run, "failed_work")
    with pytest.raises(Conflict):
        items.complete(actor=acting(cast.sofia), item=asked, data={}, version=asked.version)


def test_take_a_stage_once(cast: Cast, run: Run) -> None:
    stage = f.stage_of(run, "look")
    stages.take(actor=acting(cast.sofia), stage=stage)
    stages.take(actor=acting(cast.sofia), stage=stage)
    assert f.events(run).count("stage.assign") == 1
    with pytest.raises(Conflict) as error:
        stages.take(actor=acting(cast.noor), stage=stage)
    assert error.value.data["by"] == str(cast.sofia)
    with pytest.raises(NotAllowed):
        stages.take(actor=acting(cast.kenji), stage=f.stage_of(f.run(cast, STAGE), "look"))


STAGE = f.stage("look", "DS", items=[f.form("brief")])


def test_only_managers_assign_and_say_why_they_take_away(cast: Cast, run: Run) -> None:
    stage = f.stage_of(run, "look")
    with pytest.raises(NotAllowed):
        stages.assign(actor=acting(cast.sofia), stage=stage, owner=cast.noor)
    with pytest.raises(Invalid):
        stages.assign(actor=acting(cast.priya), stage=stage, owner=cast.kenji)
    stages.assign(actor=acting(cast.priya), stage=stage, owner=cast.sofia)
    with pytest.raises(Invalid):
        stages.assign(actor=acting(cast.priya), stage=stage, owner=cast.noor)
    stages.assign(actor=acting(cast.priya), stage=stage, owner=cast.noor, reason="holidays")
    assert f.stage_of(run, "look").owner == cast.noor
