"""Use cases: the portfolio, the page of one, seats and the start of a run."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from pipelines.runs.actions import gates
from pipelines.runs.models import Run
from pipelines.usecases.models import Seat, UseCase
from tests import factories
from tests.cast import Cast, acting

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(cast: Cast) -> Run:
    return factories.hello_run(cast)


def at_gate(cast: Cast, within: UseCase, message: str) -> None:
    """Bring a further run to its gate; its message keeps it out of the others' cache."""
    run = factories.run_of(cast, within, parameters={"message": message, "seconds": 0.0})
    factories.to_gate(cast, run)


def page_of(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def test_the_portfolio_says_who_holds_the_baton(client: Client, cast: Cast, run: Run) -> None:
    factories.to_gate(cast, run)
    client.force_login(cast.amara)
    page = page_of(client, "/use-cases/")
    assert "Late flights" in page
    assert "is asked to decide on Prepare" in page
    assert '<svg class="spark"' in page


def test_a_stranger_sees_an_empty_portfolio(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.iris)
    assert "No use case yet." in page_of(client, "/use-cases/")
    page_of(client, f"/use-cases/{run.use_case.key}/", status=404)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=FLIGHTS", True),
        ("q=houses", False),
        ("state=open", True),
        ("state=over", False),
        ("state=new", False),
        ("persona=DE", True),
        ("persona=OPS", False),
        ("page=99999&state=nonsense", True),
    ],
)
def test_finds_by_word_state_and_persona(
    client: Client, cast: Cast, run: Run, query: str, found: bool
) -> None:
    factories.to_gate(cast, run)
    client.force_login(cast.amara)
    assert ("Late flights" in page_of(client, f"/use-cases/?{query}")) is found


def test_htmx_gets_the_table_alone(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.amara)
    page = client.get("/use-cases/?q=late", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert "Late flights" in page


def test_the_page_says_who_holds_it_and_why(client: Client, cast: Cast, run: Run) -> None:
    gate = factories.to_gate(cast, run)
    client.force_login(cast.amara)
    path = f"/use-cases/{run.use_case.key}/"
    page = page_of(client, path)
    assert "<strong>Sofia Reyes</strong> <span>is asked to decide on Prepare.</span>" in page
    assert "The gate asks for 1 DS." in page
    assert f"use_case:{run.use_case.pk},run:{run.pk}" in page
    gates.decide(
        actor=acting(cast.sofia),
        gate=gate,
        verdict="request_changes",
        seen=gate.subject_digest,
        reason="The north is missing.",
        reason_code="data_problem",
        target="prepare",
    )
    page = page_of(client, path)
    assert "The north is missing." in page
    assert 'class="track__return"' in page


def test_says_so_where_nobody_may_decide(client: Client, cast: Cast, run: Run) -> None:
    factories.to_gate(cast, run)
    Seat.objects.filter(user=cast.sofia).delete()
    client.force_login(cast.amara)
    assert "Nobody can act" in page_of(client, f"/use-cases/{run.use_case.key}/")


def test_no_page_has_inline_style_or_script(client: Client, cast: Cast, run: Run) -> None:
    factories.to_gate(cast, run)
    client.force_login(cast.amara)
    key = run.use_case.key
    for path in ("/", "/use-cases/", f"/use-cases/{key}/", f"/use-cases/{key}/seats/"):
        answer = client.get(path)
        page = answer.content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert "onclick" not in page
        assert page.count("<script") == page.count("<script src=") + page.count(
            '<script type="module" src='
        )
        assert "default-src 'self'" in answer["Content-Security-Policy"]


def test_the_same_number_of_queries_whatever_there_is(
    client: Client, cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    within = factories.use_case(cast)
    at_gate(cast, within, "first")
    client.force_login(cast.amara)
    client.get("/use-cases/")
    with django_assert_num_queries(14):
        client.get("/use-cases/")
    with django_assert_num_queries(14):
        client.get(f"/use-cases/{within.key}/")
    for number in range(3):
        other = factories.use_case(cast, title=f"Late flights {number}")
        at_gate(cast, other, f"other {number}")
        at_gate(cast, within, f"again {number}")
    with django_assert_num_queries(14):
        client.get("/use-cases/")
    with django_assert_num_queries(14):
        client.get(f"/use-cases/{within.key}/")


def test_seats_are_given_and_ended(client: Client, cast: Cast) -> None:
    within = factories.use_case(cast)
    path = f"/use-cases/{within.key}/seats/"
    client.force_login(cast.amara)
    assert "Noor Haddad" in page_of(client, path)
    client.post(path, {"seat.DS": str(cast.noor.pk), "seat.BA": ""})
    seat = Seat.objects.get(use_case=within, user=cast.noor, until=None)
    assert seat.persona_id == "DS"
    client.post(f"/seats/{seat.pk}/end", {})
    assert not Seat.objects.filter(use_case=within, user=cast.noor, until=None).exists()


def test_a_seat_needs_its_persona_and_a_manager(client: Client, cast: Cast) -> None:
    within = factories.use_case(cast)
    path = f"/use-cases/{within.key}/seats/"
    client.force_login(cast.amara)
    answer = client.post(path, {"seat.OPS": str(cast.noor.pk)})
    assert answer.status_code == 422
    assert "does not hold the persona OPS" in answer.content.decode()
    client.force_login(cast.sofia)
    assert "Only who framed the use case" in page_of(client, path)
    assert client.post(path, {"seat.DS": str(cast.noor.pk)}).status_code == 403


def test_a_run_starts_with_what_the_form_gives(client: Client, cast: Cast) -> None:
    within = factories.use_case(cast)
    path = f"/use-cases/{within.key}/start/"
    client.force_login(cast.amara)
    assert "Seconds per step" in page_of(client, path)
    form = {"blueprint": "hello", "p.message": "good morning", "p.seconds": "0,5"}
    answer = client.post(path, form)
    assert answer.status_code == 302
    run = within.runs.get()
    assert run.parameters == {"message": "good morning", "seconds": 0.5}
    assert run.state == "RUNNING"


def test_bad_parameters_are_named_and_kept(client: Client, cast: Cast) -> None:
    within = factories.use_case(cast)
    client.force_login(cast.amara)
    form = {"blueprint": "hello", "p.message": "kept", "p.seconds": "soon"}
    answer = client.post(f"/use-cases/{within.key}/start/", form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="soon"' in page
    assert 'value="kept"' in page
    assert 'aria-invalid="true"' in page
    assert not within.runs.exists()


def test_who_has_no_seat_starts_no_run(client: Client, cast: Cast) -> None:
    within = factories.use_case(cast)
    client.force_login(cast.iris)
    assert client.post(f"/use-cases/{within.key}/start/", {}).status_code == 404
