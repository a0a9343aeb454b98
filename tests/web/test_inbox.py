"""The inbox: who sees what, what its buttons do, and what it costs."""

import re
import uuid

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from personas.actions import show_tour
from personas.models import User
from pipelines.runs.actions import gates, items, stages
from pipelines.runs.models import Run, Stage
from pipelines.runs.queries.inbox import InboxRow, inbox, waiting_for
from pipelines.usecases.models import UseCase
from tests import factories
from tests.cast import Cast, acting

pytestmark = pytest.mark.django_db


def rows(user: User, section: str) -> list[InboxRow]:
    return next(part.rows for part in inbox(user).sections if part.key == section)


def at_gate(cast: Cast, within: UseCase, number: int) -> None:
    """Bring a further run to its gate; its message keeps it out of the others' cache."""
    run = factories.run_of(cast, within, parameters={"message": str(number), "seconds": 0.0})
    factories.to_gate(cast, run)


@pytest.fixture
def run(cast: Cast) -> Run:
    return factories.hello_run(cast)


def test_a_gate_waits_for_its_deciders_and_not_for_its_author(cast: Cast, run: Run) -> None:
    factories.to_gate(cast, run)
    [row] = rows(cast.sofia, "decide")
    assert (row.noun, row.asked, row.by) == ("gate", "Decide on Prepare", "Dmitri Volkov")
    assert "Approving opens Answer" in row.why
    assert rows(cast.dmitri, "decide") == []
    [row] = rows(cast.dmitri, "others")
    assert "others decide: 1 DS" in row.why
    assert rows(cast.noor, "decide") == []  # a data scientist without a seat here


def test_an_unowned_stage_is_offered_and_taken(client: Client, cast: Cast, run: Run) -> None:
    factories.work_off(most=1)
    [row] = rows(cast.dmitri, "offered")
    assert (row.act, row.asked) == ("take", "Take Prepare")
    client.force_login(cast.dmitri)
    form = {"idempotency_key": str(uuid.uuid4()), "next": "/"}
    answer = client.post(f"/inbox/stages/{row.act_pk}/take", form, follow=True)
    assert "You own prepare now." in answer.content.decode()
    assert factories.stage_of(run, "prepare").owner == cast.dmitri
    again = client.post(f"/inbox/stages/{row.act_pk}/take", form, follow=True)
    assert "done already" in again.content.decode()


def test_a_hand_off_is_accepted_inline(client: Client, cast: Cast, run: Run) -> None:
    gate = factories.to_gate(cast, run)
    gates.decide(actor=acting(cast.sofia), gate=gate, verdict="approve", seen=gate.subject_digest)
    [mine] = rows(cast.dmitri, "mine")
    assert (mine.noun, mine.button) == ("hand_off", "Act")
    hand_off = factories.offered(cast, factories.open_hand_off(run))
    [row] = rows(cast.sofia, "offered")
    assert (row.act, row.by) == ("accept", "Dmitri Volkov")
    [waiting] = rows(cast.dmitri, "others")
    assert "you stay accountable" in waiting.why
    client.force_login(cast.sofia)
    assert client.post(f"/inbox/hand-offs/{hand_off.pk}/accept", {}).status_code == 302
    assert factories.stage_of(run, "answer").owner == cast.sofia
    assert "Hand-off to Answer" in {row.asked for row in rows(cast.sofia, "done")}


def test_a_late_click_says_who_was_first(client: Client, cast: Cast, run: Run) -> None:
    factories.work_off(most=1)
    stage = factories.stage_of(run, "prepare")
    stages.take(actor=acting(cast.dmitri), stage=stage)
    client.force_login(cast.sofia)
    answer = client.post(f"/inbox/stages/{stage.pk}/take", {"next": "/"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Dmitri Volkov owns prepare" in page
    assert 'href="/"' in page


def test_a_stranger_is_told_nothing(client: Client, cast: Cast, run: Run) -> None:
    factories.work_off(most=1)
    client.force_login(cast.noor)
    stage = factories.stage_of(run, "prepare")
    assert client.post(f"/inbox/stages/{stage.pk}/take", {}).status_code == 404
    assert inbox(cast.noor).waiting == 0


def test_what_comes_back_names_who_and_why(cast: Cast) -> None:
    run = factories.run_of(cast, factories.use_case(cast, blueprint="checked"))
    factories.work_off()
    factories.completed(cast, run.items.get(key="go"), {"decision": "go"})
    gate = factories.open_gate(run)
    gates.decide(
        actor=acting(cast.sofia),
        gate=gate,
        verdict="request_changes",
        seen=gate.subject_digest,
        reason="The north is missing.",
        reason_code="data_problem",
        target="frame",
    )
    [row] = rows(cast.amara, "returned")
    assert row.asked == "Frame came back: round 2"
    assert row.by == "Sofia Reyes"
    assert "The north is missing." in row.why


def test_work_items_are_taken_and_counted(client: Client, cast: Cast) -> None:
    run = factories.run_of(cast, factories.use_case(cast, blueprint="checked"))
    item = run.items.get(key="go")
    assert item.holder == cast.amara
    items.unclaim(actor=acting(cast.amara), item=item)
    [row] = rows(cast.amara, "offered")
    assert (row.act, row.button) == ("claim", "Take it")
    assert waiting_for(cast.amara) == inbox(cast.amara).waiting == 1
    client.force_login(cast.amara)
    client.post(f"/inbox/items/{item.pk}/claim", {})
    [row] = rows(cast.amara, "mine")
    assert (row.noun, row.pk) == ("item", item.pk)


def test_the_same_number_of_queries_whatever_there_is(
    client: Client, cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    within = factories.use_case(cast)
    for number in range(2):
        at_gate(cast, within, number)
    show_tour(actor=acting(cast.sofia), shown=False)  # until then it asks which persona she is
    client.force_login(cast.sofia)
    client.get("/")  # blueprints are parsed once per process
    with django_assert_num_queries(16):
        client.get("/")
    for number in range(2, 5):
        at_gate(cast, within, number)
    with django_assert_num_queries(16):
        page = client.get("/").content.decode()
    assert len(re.findall("Decide on Prepare", page)) == 5


def test_the_count_is_what_the_inbox_says(client: Client, cast: Cast, run: Run) -> None:
    factories.to_gate(cast, run)
    client.force_login(cast.sofia)
    answer = client.get("/inbox/count")
    assert answer.content == b"1"
    assert answer["Cache-Control"] == "no-store"
    assert "(1) Inbox" in client.get("/").content.decode()


def test_a_paused_run_asks_nobody(cast: Cast, run: Run) -> None:
    factories.to_gate(cast, run)
    Run.objects.filter(pk=run.pk).update(state="PAUSED")
    assert rows(cast.sofia, "decide") == []
    assert Stage.objects.filter(run=run, state="IN_REVIEW").exists()
