"""The board: cards by stage and lane, limits, ages, filters, and the views that people keep."""

from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from personas.models import User
from pipelines.portfolio import board as queries
from pipelines.portfolio import frames
from pipelines.portfolio.pace import Stay
from pipelines.runs.actions import gates, handoffs
from pipelines.runs.models import Run
from pipelines.usecases.models import SavedView, Seat, UseCase
from tests import factories
from tests.cast import Cast, acting
from tests.domain import engine as f

pytestmark = pytest.mark.django_db
NEGATIVE = timedelta(seconds=-1)  # a test's commands may share one reading of the clock
HOSTILE = '<img src=x onerror="alert(1)">\u202e reversed'


@pytest.fixture
def run(cast: Cast) -> Run:
    """Two stages at once, one of them waiting for its hand-off."""
    made = f.run(
        cast,
        f.stage("brief", "BA", code="S0", items=[f.form("text")]),
        f.stage("table", "DE", code="S1"),
        f.stage("learn", "DS", code="S2", needs=["table"]),
    )
    f.perform()
    return made


def page_of(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return unescape(answer.content.decode())


def board_of(user: User, **asked: object) -> queries.Board:
    return queries.board(user, queries.Asked(**asked))  # type: ignore[arg-type]


def where(board: queries.Board) -> list[tuple[str, str]]:
    return [
        (lane.key, card.key) for lane in board.lanes for _, cards in lane.cells for card in cards
    ]


def test_cards_lie_where_their_stage_and_whose_move_it_is(cast: Cast, run: Run) -> None:
    board = board_of(cast.amara)
    assert [(c.code, c.key) for c in board.columns] == [
        ("S0", "brief"), ("S1", "table"), ("S2", "learn"),
    ]  # fmt: skip
    cards = {card.key: card for card in board.all_cards}
    assert ("BA", "brief") in where(board)
    assert cards["brief"].run.pk == run.pk
    by_use_case = board_of(cast.amara, lanes="use_case")
    assert {lane for lane, _ in where(by_use_case)} == {run.use_case.key}


def test_a_run_between_two_stages_is_on_the_board(cast: Cast) -> None:
    """While a hand-off is prepared no stage of the run is open: the run must not vanish."""
    run = factories.run_of(cast, factories.use_case(cast, blueprint="checked"))
    factories.work_off()
    factories.completed(cast, run.items.get(key="go"), {"decision": "go"})
    gate = factories.open_gate(run)
    gates.decide(actor=acting(cast.sofia), gate=gate, verdict="approve", seen=gate.subject_digest)
    factories.work_off()
    [card] = board_of(cast.amara).all_cards
    assert (card.key, card.in_air, card.waits_for) == ("source", True, "BA")
    assert card.holder is not None
    assert card.holder.noun == "hand_off"
    hand_off = run.hand_offs.get()
    handoffs.offer(actor=acting(cast.amara), hand_off=hand_off, answers={"gaps": "none"}, note="")
    [card] = board_of(cast.amara).all_cards
    assert (card.key, card.in_air, card.waits_for) == ("source", True, "DE")


def test_limits_are_people_times_the_parameter(
    cast: Cast, run: Run, settings: pytest.FixtureRequest
) -> None:
    settings.WIP_PER_PERSON = 1  # type: ignore[attr-defined]
    columns = {column.key: column for column in board_of(cast.amara).columns}
    assert (columns["brief"].people, columns["brief"].limit) == (2, 2)  # Amara and Noor
    cast.noor.is_active = False
    cast.noor.save()
    for _ in range(2):
        f.run(cast, f.stage("brief", "BA", code="S0", items=[f.form("text")]), on=run.use_case)
    columns = {column.key: column for column in board_of(cast.amara).columns}
    assert (columns["brief"].work, columns["brief"].limit, columns["brief"].over) == (3, 1, 2)


def test_over_the_limit_is_said_in_words(
    client: Client, cast: Cast, run: Run, settings: pytest.FixtureRequest
) -> None:
    settings.WIP_PER_PERSON = 1  # type: ignore[attr-defined]
    User.objects.filter(personas="BA").update(is_active=False)
    User.objects.filter(pk=cast.amara.pk).update(is_active=True)
    f.run(cast, f.stage("brief", "BA", code="S0", items=[f.form("text")]), on=run.use_case)
    client.force_login(cast.amara)
    page = page_of(client, "/board/")
    assert "1 over the limit" in page
    assert "active people of its persona \u00d7 1" in page


def test_ages_are_held_against_the_past(
    cast: Cast, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = frames.frame

    def slow(kind: str) -> frames.Frame:
        found = read(kind)
        past = Stay(20, NEGATIVE, NEGATIVE, timedelta(days=999))
        return frames.Frame(found.now, found.people, found.work, {"brief": past})

    monkeypatch.setattr(frames, "frame", slow)
    assert {c.key: c.level for c in board_of(cast.amara).all_cards}["brief"] == "amber"
    assert [c.key for c in board_of(cast.amara, late=True).all_cards] == ["brief"]


def test_the_past_is_of_rounds_that_were_done(cast: Cast) -> None:
    for number in range(11):
        f.run(cast, f.stage("brief", "BA", steps=[f.step("w", params={"message": str(number)})]))
        f.perform()
    stay = frames.frame("main").stays["brief"]
    assert stay.n == 11
    assert stay.p50 is not None
    assert frames.frame("watch").stays == {}


FILTERED = (
    ({"persona": "BA"}, {"brief"}),
    ({"persona": "OPS"}, set()),
    ({"stage": "brief"}, {"brief"}),
    ({"kind": "watch"}, set()),
    ({"tier": 2}, set()),
    ({"blueprint": "no-such"}, set()),
    ({"use_case": "no-such"}, set()),
    ({"late": True}, set()),
)
ODD = ("tier=9&kind=x&lanes=x&persona=%3Cb%3E", "stage=" + "x" * 5000, "use_case=%E2%80%AE&mine=2")


def test_filters(client: Client, cast: Cast, run: Run) -> None:
    for asked, found in FILTERED:
        assert {card.key for card in board_of(cast.amara, **asked).all_cards} == found, asked
    client.force_login(cast.amara)
    for query in ODD:
        page_of(client, f"/board/?{query}")


def test_mine_is_what_i_own_or_could_take_or_am_asked_for(cast: Cast) -> None:
    run = factories.hello_run(cast)
    gate = factories.to_gate(cast, run)
    [asked] = [rule["persona"] for rule in gate.policy["rules"]]
    assert board_of(cast.of(asked), mine=True).found == 1
    Seat.objects.filter(user=cast.of(asked)).update(until=run.created_at)
    assert board_of(cast.of(asked), mine=True).found == 0
    assert board_of(cast.priya, mine=True).found == 0


def test_a_stranger_sees_nothing_but_how_to_begin(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.iris)
    page = page_of(client, "/board/")
    assert run.use_case.title not in page
    assert "Nothing is under way." in page
    assert "Nothing fits." in page_of(client, "/board/?late=1")


def test_hostile_names_stay_text(client: Client, cast: Cast, run: Run) -> None:
    UseCase.objects.filter(pk=run.use_case_id).update(title=HOSTILE)
    SavedView.objects.create(user=cast.amara, page="board", name=HOSTILE, query="late=1")
    client.force_login(cast.amara)
    for path in ("/board/", "/board/?lanes=use_case", "/use-cases/"):
        page = client.get(path).content.decode()
        assert "<img" not in page
        assert "&lt;img" in page
        assert " style=" not in page


def test_the_same_number_of_queries_whatever_there_is(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.amara)
    client.get("/board/")
    client.get("/board/")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as seen:
            client.get("/board/")
        counts.append(len(seen))
        for number in range(3 if len(counts) == 1 else 0):
            other = factories.use_case(cast, title=f"Late flights {number}")
            run = factories.run_of(cast, other, parameters={"message": str(number), "seconds": 0.0})
            factories.to_gate(cast, run)
        client.get("/board/")
    assert counts[0] <= counts[1] <= 15


def test_views_are_kept_replaced_and_removed(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    form = {"page": "board", "name": " My  late ones ", "query": "late=1&evil=1&persona=BA&page=3"}
    answer = client.post("/views/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/board/?persona=BA&late=1")
    page = page_of(client, "/board/?persona=BA&late=1")
    assert "My late ones" in page
    assert 'aria-current="true"' in page
    client.post("/views/", {**form, "query": "mine=1"})
    view = SavedView.objects.get()
    assert (view.name, view.query) == ("My late ones", "mine=1")
    client.force_login(cast.kenji)
    assert "My late ones" not in page_of(client, "/board/")
    assert client.post(f"/views/{view.pk}/remove").status_code == 404
    client.force_login(cast.amara)
    assert client.post(f"/views/{view.pk}/remove").status_code == 302
    assert not SavedView.objects.exists()


REFUSED = (
    ({"page": "console", "name": "x", "query": ""}, "page"),
    ({"page": "board", "name": "  ", "query": ""}, "name"),
    ({"page": "board", "name": "x" * 61, "query": ""}, "name"),
    ({"page": "portfolio", "name": "x", "query": "q=" + "y" * 600}, "query"),
)


def test_views_that_cannot_be_kept(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    for form, field in REFUSED:
        answer = client.post("/views/", form)
        assert (answer.status_code, field in answer.content.decode()) == (422, True), form
    assert not SavedView.objects.exists()


def test_nobody_keeps_views_without_end(client: Client, cast: Cast) -> None:
    SavedView.objects.bulk_create(
        SavedView(user=cast.amara, page="board", name=str(number)) for number in range(30)
    )
    client.force_login(cast.amara)
    assert client.post("/views/", {"page": "board", "name": "one more"}).status_code == 422
    assert client.post("/views/", {"page": "board", "name": "7"}).status_code == 302
