"""Use cases, seats, blueprints over the API."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.fixtures import DjangoAssertNumQueries

from pipelines.blueprints.shipped import shipped_text
from pipelines.usecases.models import BlueprintVersion, Seat, UseCase
from tests import factories
from tests.api.conftest import Client
from tests.cast import Cast


def test_framing_one_seats_its_creator(cast: Cast, api: Client) -> None:
    factories.published()
    client = api(cast.amara)
    answer = client.post("/api/v1/use-cases", {"title": "Late flights", "blueprint": "hello"})
    assert (answer.status_code, answer.json()["key"]) == (201, "late-flights")
    assert answer.headers["Location"].endswith("/api/v1/use-cases/late-flights")
    found = client.get(answer.headers["Location"]).json()
    assert found["blueprint"] == "hello"
    assert [(s["user"]["username"], s["persona"]) for s in found["seats"]] == [("amara", "BA")]


def test_a_replay_frames_it_once(cast: Cast, api: Client) -> None:
    client, headers = api(cast.amara), {"Idempotency-Key": "k1"}
    first = client.post("/api/v1/use-cases", {"title": "Late"}, headers=headers)
    again = client.post("/api/v1/use-cases", {"title": "Late"}, headers=headers)
    other = client.post("/api/v1/use-cases", {"title": "Later"}, headers=headers)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (other.status_code, list(other.json()["fields"])) == (422, ["Idempotency-Key"])
    assert UseCase.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 161}, "title"),
        ({"title": "A", "key": "No Blanks"}, "key"),
        ({"title": "A", "blueprint": "none"}, "blueprint"),
        ({"title": "A", "inputs": {"tables": [{"name": "a"}]}}, "inputs.tables.0.digest"),
        ({"title": "A", "titel": "B"}, "titel"),
    ],
)
def test_it_names_the_field(cast: Cast, api: Client, body: dict[str, Any], field: str) -> None:
    answer = api(cast.amara).post("/api/v1/use-cases", body)
    assert answer.status_code == 422
    assert field in answer.json()["fields"]
    assert not UseCase.objects.exists()


def test_only_its_framer_or_a_manager_changes_it(cast: Cast, api: Client) -> None:
    case = factories.use_case(cast)
    address = f"/api/v1/use-cases/{case.key}"
    assert api(cast.amara).patch(address, {"question": "Which?"}).status_code == 200
    assert api(cast.priya).patch(address, {"parameters": {"seconds": 0}}).status_code == 200
    refused = api(cast.sofia).patch(address, {"title": "Mine"})
    assert (refused.status_code, refused.json()["code"]) == (403, "use_case.manage")
    found = api(cast.sofia).get(address).json()
    assert (found["title"], found["question"]) == ("Late flights", "Which?")


def test_an_overheard_digest_opens_nothing(cast: Cast, api: Client) -> None:
    file = SimpleUploadedFile("flights.csv", b"flight,late\n1,yes\n")
    kept = api(cast.lena).post("/api/v1/artefacts", {"file": file}, format="multipart").json()
    part = {name: kept[name] for name in ("name", "digest", "media")}
    case = factories.use_case(cast)
    body = {"inputs": {"tables": [part]}}
    client = api(cast.amara)
    for answer in (
        client.patch(f"/api/v1/use-cases/{case.key}", body),
        client.post("/api/v1/use-cases", {"title": "Mine", **body}),
        client.post(f"/api/v1/use-cases/{case.key}/runs", body),
    ):
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["inputs.tables"])
    assert client.get(f"/api/v1/artefacts/{kept['digest']}").status_code == 404
    # Who brought it may put it into the use case, and then all who see that may read it.
    cast.lena.capabilities = ["run.manage"]
    cast.lena.save()
    assert api(cast.lena).patch(f"/api/v1/use-cases/{case.key}", body).status_code == 200
    assert client.get(f"/api/v1/artefacts/{kept['digest']}").status_code == 200


def test_seats_are_given_and_ended(cast: Cast, api: Client) -> None:
    case = factories.use_case(cast)
    address = f"/api/v1/use-cases/{case.key}/seats"
    client = api(cast.amara)
    given = client.post(address, {"user": "noor", "persona": "DS"})
    assert given.status_code == 201
    assert api(cast.noor).get(f"/api/v1/use-cases/{case.key}").status_code == 200
    twice = client.post(address, {"user": "noor", "persona": "DS"})
    assert (twice.status_code, twice.json()["code"]) == (409, "seat_taken")
    wrong = client.post(address, {"user": "noor", "persona": "OPS"})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (422, ["persona"])
    assert client.delete(f"{address}/{given.json()['seat']}").status_code == 200
    assert api(cast.noor).get(f"/api/v1/use-cases/{case.key}").status_code == 404
    assert Seat.objects.get(pk=given.json()["seat"]).until is not None


def test_retiring_takes_the_business_analyst(cast: Cast, api: Client) -> None:
    case = factories.use_case(cast)
    address = f"/api/v1/use-cases/{case.key}/retire"
    assert api(cast.priya).post(address, {"reason": "done"}).status_code == 403
    assert api(cast.amara).post(address, {}).json()["fields"].keys() == {"reason"}
    assert api(cast.amara).post(address, {"reason": "done"}).status_code == 200
    again = api(cast.amara).post(address, {"reason": "done"})
    assert (again.status_code, again.json()["code"]) == (409, "already_retired")


def test_the_list_takes_a_fixed_number_of_queries(
    cast: Cast, api: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = api(cast.amara)
    client.get("/api/v1/me")
    for title in ("One", "Two", "Three"):
        factories.use_case(cast, title=title)
        with django_assert_num_queries(3):  # session, person, rows
            client.get("/api/v1/use-cases")
    with django_assert_num_queries(4):  # session, person, use case, seats
        client.get("/api/v1/use-cases/one")


def test_pages_go_on_by_cursor(cast: Cast, api: Client) -> None:
    for title in ("One", "Two", "Three"):
        factories.use_case(cast, title=title)
    client = api(cast.amara)
    first = client.get("/api/v1/use-cases?page_size=2").json()
    second = client.get(first["next"]).json()
    keys = [row["key"] for page in (first, second) for row in page["results"]]
    assert keys == ["three", "two", "one"]
    assert (first["previous"], second["next"]) == (None, None)


def publish(client: Any, text: str | bytes, *, to: str = "blueprints") -> Any:
    return client.generic("POST", f"/api/v1/{to}", text, content_type="application/toml")


def test_a_blueprint_is_published_once(cast: Cast, api: Client) -> None:
    client, text = api(cast.priya), shipped_text("hello")
    first, again = publish(client, text), publish(client, text)
    assert (first.status_code, first.json()["number"]) == (201, 1)
    assert (again.status_code, again.json()["new"]) == (200, False)
    found = client.get("/api/v1/blueprints/hello").json()
    assert (found["published"], len(found["versions"])) == (1, 1)
    body = client.get("/api/v1/blueprints/hello/versions/1").json()["body"]
    assert client.post("/api/v1/blueprints", body).json()["digest"] == first.json()["digest"]


def test_publishing_takes_the_capability(cast: Cast, api: Client) -> None:
    answer = publish(api(cast.sofia), shipped_text("hello"))
    assert (answer.status_code, answer.json()["code"]) == (403, "capability.blueprint.publish")


def test_lint_names_every_problem_at_once(cast: Cast, api: Client) -> None:
    bad = (
        shipped_text("hello")
        .replace('persona = "DE"', 'persona = "QA"')
        .replace('needs = ["ask"]', 'needs = ["answer"]')
    )
    found = publish(api(cast.sofia), bad, to="blueprints/lint").json()
    assert found["publishable"] is False
    rules = {problem["rule"] for problem in found["problems"]}
    assert len(rules) >= 2
    assert any("QA" in p["message"] + p["value"] for p in found["problems"])
    refused = publish(api(cast.priya), bad)
    assert refused.status_code == 422
    assert set(refused.json()["fields"]) <= {p["path"] for p in found["problems"]}
    assert not BlueprintVersion.objects.exists()


def test_lint_says_where_toml_ends(cast: Cast, api: Client) -> None:
    found = publish(api(cast.sofia), "key = [", to="blueprints/lint").json()
    assert (found["publishable"], found["digest"]) == (False, "")
    assert found["problems"][0]["rule"] == "toml"
    latin = publish(api(cast.sofia), b"key = '\xe4'", to="blueprints/lint")
    assert (latin.status_code, latin.json()["code"]) == (400, "malformed")
