"""Search: what is found, by whom, whatever is typed, at what cost."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from personas.models import User
from pipelines.runs.models import Run
from pipelines.search.models import Entry
from pipelines.search.queries import Found, search
from pipelines.usecases.actions import create_use_case
from pipelines.usecases.models import UseCase
from tests import factories
from tests.cast import Cast, acting

pytestmark = pytest.mark.django_db
PAGE = "/search/"
MOST_QUERIES = 15


@pytest.fixture
def run(cast: Cast) -> Run:
    return factories.hello_run(cast)


def names(found: Found, noun: str) -> list[str]:
    return [hit.name for group in found.groups if group.noun == noun for hit in group.hits]


def made(cast: Cast, title: str, question: str = "") -> UseCase:
    answer = create_use_case(actor=acting(cast.amara), title=title, question=question)
    return UseCase.objects.get(pk=answer.data["use_case"])


def test_words_find_by_their_beginning_and_their_stem(cast: Cast, run: Run) -> None:
    for text in ("fligh", "flight", "FLIGHTS", "late fli", "late-flights", "flights, late"):
        found = search(cast.amara, text)
        assert names(found, "use_case") == ["Late flights"], text
        assert names(found, "run") == ["Late flights, Run 1"], text
    assert search(cast.amara, "flight nonsense").groups == ()
    assert names(search(cast.amara, "run 1"), "run") == ["Late flights, Run 1"]
    assert names(search(cast.amara, "run 2"), "run") == []
    assert names(search(cast.amara, "sofia"), "person") == ["Sofia Reyes"]
    assert names(search(cast.amara, "scientist sofia"), "person") == ["Sofia Reyes"]


def test_a_title_counts_more_than_a_question(cast: Cast) -> None:
    made(cast, "Something else", "Is there churn in it?")
    made(cast, "Churn of customers")
    found = names(search(cast.amara, "churn"), "use_case")
    assert found == ["Churn of customers", "Something else"]


def test_a_new_title_is_found_and_the_old_one_is_not(cast: Cast, run: Run) -> None:
    case = run.use_case
    case.title = "Early trains"
    case.save()
    assert names(search(cast.amara, "train"), "run") == ["Early trains, Run 1"]
    assert names(search(cast.amara, "flights"), "use_case") == ["Early trains"]  # its key
    run.reason = "because of the storm"
    run.save()
    assert names(search(cast.amara, "storm"), "run") == ["Early trains, Run 1"]
    cast.sofia.personas.clear()
    assert names(search(cast.amara, "scientist sofia"), "person") == []


def test_nobody_finds_what_they_may_not_see(client: Client, cast: Cast, run: Run) -> None:
    stranger = User.objects.create_user("stranger", name="A Stranger")
    for noun in ("use_case", "run", "model", "document"):
        assert names(search(stranger, "late flights", noun=noun), noun) == []
        assert names(search(stranger, "runs model card", noun=noun), noun) == []
    client.force_login(stranger)
    page = client.get(PAGE, {"q": "late"}).content.decode()
    assert "Late flights" not in page
    assert "Nothing found that you may see" in page


def test_who_may_not_sign_in_is_found_by_those_who_manage(cast: Cast) -> None:
    gone = User.objects.create_user("gone", name="Gerda Gone", is_active=False)
    assert names(search(cast.amara, "gerda"), "person") == []
    cast.amara.capabilities = ["users.manage"]
    assert names(search(cast.amara, "gerda"), "person") == [gone.name]


def test_documents_are_found_by_kind_and_use_case(client: Client, cast: Cast, run: Run) -> None:
    factories.work_off()
    found = search(cast.amara, "model card flights")
    assert names(found, "document") == ["Model card"]
    client.force_login(cast.amara)
    page = client.get(PAGE, {"q": "model card flights"}).content.decode()
    [address] = re.findall(r'href="(/use-cases/[^"]+/documents/\?kind=[^"]+)"', page)
    answer = client.get(address)
    assert answer["Location"] == f"/runs/{run.pk}/documents/model-card/"
    assert len(names(search(cast.amara, "documents late"), "document")) > 1


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "a", "%", "'", '"', "\\", "x" * 10_000, "word " * 2_000, "' | ! :* & <-> (",
        "a:*b", "'); DROP TABLE search_entry; --", "\u202eflights", "\u0301", "\U0001f600",
        "<script>", "{{ q }}",
    ],
)  # fmt: skip
def test_odd_queries_are_answered(client: Client, cast: Cast, run: Run, text: str) -> None:
    client.force_login(cast.amara)
    for more in ({}, {"noun": "run"}, {"part": "list"}):
        answer = client.get(PAGE, {"q": text, **more})
        assert answer.status_code == 200
        assert "<script>" not in answer.content.decode().replace('<script src="', "")
    answer = client.get("/api/v1/search", {"q": text})
    assert answer.status_code == 200, answer.content


def test_no_text_holds_the_null_character(client: Client, cast: Cast) -> None:
    client.force_login(cast.amara)
    assert client.get(PAGE, {"q": "a\0b"}).status_code == 422
    assert client.get("/api/v1/search", {"q": "a\0b"}).status_code in (400, 422)


def test_hostile_titles_are_marked_as_text(client: Client, cast: Cast) -> None:
    made(cast, "<img src=x onerror=alert(1)> boom \u202egnp.exe")
    client.force_login(cast.amara)
    page = client.get(PAGE, {"q": "boom img"}).content.decode()
    assert "<img" not in page
    assert "&lt;<mark>img</mark> src=x" in page
    assert "<mark>boom</mark>" in page


def test_one_noun_is_asked_for_alone(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.amara)
    page = client.get(PAGE, {"q": "late", "noun": "run"}).content.decode()
    assert 'id="found-run"' in page
    assert 'id="found-use_case"' not in page
    part = client.get(PAGE, {"q": "late", "part": "list"}).content.decode()
    assert "<html" not in part
    answer = client.get("/api/v1/search", {"q": "late", "noun": "run"}).json()
    assert [group["noun"] for group in answer["groups"]] == ["run"]
    assert answer["groups"][0]["hits"][0]["title"] == "Late flights, Run 1"
    assert client.get("/api/v1/search", {"q": "late", "noun": "cow"}).status_code == 422


def test_few_queries_with_few_rows_and_with_many(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.amara)
    counts = []
    for _turn in range(2):
        client.get(PAGE, {"q": "model late"})
        with CaptureQueriesContext(
            connection,
        ) as asked:
            page = client.get(PAGE, {"q": "late"}).content.decode()
        counts.append(len(asked))
        for number in range(9):
            made(cast, f"Late number {number}")
    assert counts[0] == counts[1] <= MOST_QUERIES
    page = client.get(PAGE, {"q": "late"}).content.decode()
    assert page.count("Late</mark> number") == 6 or page.count("<mark>Late</mark> number") >= 5
    assert "noun=use_case" in page
    assert Entry.objects.filter(noun="use_case").count() == 19
