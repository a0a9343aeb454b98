"""Documents as pages, files and data: what there is, who may see it, what stays sealed."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from pipelines.documents import library
from pipelines.documents.queries import pack_of
from pipelines.runs.models import Run
from tests import factories
from tests.cast import Cast
from tests.domain import engine

pytestmark = pytest.mark.django_db
NASTY = "</h1><script>alert(1)</script>"


@pytest.fixture
def run(cast: Cast) -> Run:
    return factories.hello_run(cast)


def test_each_document_has_a_page(client: Client, cast: Cast, run: Run) -> None:
    factories.to_gate(cast, run)
    client.force_login(cast.sofia)
    text = client.get(f"/runs/{run.pk}/documents/").content.decode()
    for kind in library.KINDS.values():
        address = f"/runs/{run.pk}/documents/{kind.key}/"
        assert f'href="{address}"' in text
        answer = client.get(address)
        assert answer.status_code == 200
        assert f"<h1>{kind.title}</h1>" in answer.content.decode().replace(
            "Datasheet of the data", "Datasheet"
        )
        assert " style=" not in answer.content.decode()


def test_the_use_case_leads_to_the_run_that_counts(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.sofia)
    answer = client.get(f"/use-cases/{run.use_case.key}/documents/")
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.pk}/documents/")
    found = client.get(f"/api/v1/use-cases/{run.use_case.key}/documents").json()
    assert found["run"] == run.pk
    assert [kind["key"] for kind in found["documents"]] == list(library.KINDS)


def test_without_a_run_there_are_none(client: Client, cast: Cast) -> None:
    case = factories.use_case(cast)
    client.force_login(cast.sofia)
    assert client.get(f"/use-cases/{case.key}/documents/").status_code == 404
    assert client.get(f"/api/v1/use-cases/{case.key}/documents").status_code == 404


def test_a_brief_can_be_read_in_one_voice(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.sofia)
    address = f"/runs/{run.pk}/documents/decision-brief/"
    assert "Decision brief for the DevOps" in client.get(f"{address}?voice=OPS").content.decode()
    assert "<h1>Decision brief</h1>" in client.get(f"{address}?voice=nobody").content.decode()
    refused = client.get(f"/api/v1/runs/{run.pk}/documents/decision-brief?voice=nobody")
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("form", "media", "begins"),
    [("html", "text/html", b"<!doctype html>"), ("md", "text/markdown", b"# Datasheet"),
     ("pdf", "application/pdf", b"%PDF-")],
)  # fmt: skip
def test_a_document_is_a_file_by_suffix_and_by_accept(
    client: Client, cast: Cast, run: Run, form: str, media: str, begins: bytes
) -> None:
    client.force_login(cast.sofia)
    name = f'attachment; filename="datasheet-run-{run.pk}.{form}"'
    address = f"runs/{run.pk}/documents/datasheet"
    for answer in (
        client.get(f"/{address}.{form}"),
        client.get(f"/api/v1/{address}.{form}"),
        client.get(f"/api/v1/{address}", headers={"accept": media}),
    ):
        assert answer["Content-Type"] == f"{media}; charset=utf-8"
        assert answer["Content-Disposition"] == name
        assert answer.content.startswith(begins)


def test_as_data_it_has_a_digest_that_stays(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.sofia)
    address = f"/api/v1/runs/{run.pk}/documents/model-card"
    first, again = (client.get(address, headers={"accept": "*/*"}).json() for _ in range(2))
    assert first == again
    assert len(first["digest"]) == 64
    assert first["sections"][0]["key"] == "details"


@pytest.mark.parametrize("address", ["no-such/", "model-card.doc", "no-such.md"])
def test_what_there_is_not(client: Client, cast: Cast, run: Run, address: str) -> None:
    client.force_login(cast.sofia)
    assert client.get(f"/runs/{run.pk}/documents/{address}").status_code == 404
    assert client.get(f"/api/v1/runs/{run.pk}/documents/{address.strip('/')}").status_code == 404


def test_a_stranger_learns_nothing(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.iris)
    for address in ("documents", "documents/model-card", "documents/model-card.md"):
        assert client.get(f"/api/v1/runs/{run.pk}/{address}").status_code == 404
    for address in ("documents/", "documents/model-card/", "documents/model-card.md"):
        assert client.get(f"/runs/{run.pk}/{address}").status_code == 404


def test_a_sealed_verdict_stays_sealed(client: Client, cast: Cast) -> None:
    gate = engine.gate("DS", "BA", blind=True, expires="P2D")
    run = engine.run(cast, engine.stage("evaluate", "MLR", gate=gate))
    engine.perform()
    engine.decide(cast.sofia, engine.gate_of(run), reason="a secret reason")
    assert [review.rulings for review in pack_of(run).reviews] == [()]
    client.force_login(cast.amara)
    for kind in library.KINDS:
        text = client.get(f"/runs/{run.pk}/documents/{kind}/").content.decode()
        assert "a secret reason" not in text


def test_what_people_wrote_is_shown_and_harmless(client: Client, cast: Cast) -> None:
    fields = [{"key": "ethics", "label": NASTY, "kind": "text"}]
    stage = engine.stage("evaluate", "MLR", items=[engine.form("limits", fields=fields)])
    run = engine.run(cast, stage)
    engine.fill(cast.kenji, engine.item_of(run, "limits"), ethics=NASTY)
    client.force_login(cast.sofia)
    text = client.get(f"/runs/{run.pk}/documents/model-card/").content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "Kenji Tanaka (MLR)" in text


def test_the_second_round_counts(cast: Cast) -> None:
    """A document is of the present rounds: what was sent back is not quoted."""
    gate = engine.gate("DS", checks=[{"name": "go_no_go", "blocking": False}])
    run = engine.run(cast, engine.stage("evaluate", "MLR", gate=gate))
    engine.perform()
    first = engine.gate_of(run)
    engine.decide(cast.sofia, first, "request_changes", target="evaluate")
    engine.perform()
    found = pack_of(run)
    assert {review.pk for review in found.reviews} <= {engine.gate_of(run).pk}
    assert {check.noun_pk for check in found.checks} == {engine.gate_of(run).pk} - {first.pk}
    assert [part.round for part in found.stages] == [2]


def test_queries_are_fixed(
    client: Client,
    cast: Cast,
    run: Run,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    engine.decide(cast.sofia, factories.to_gate(cast, run))
    factories.work_off()
    client.force_login(cast.sofia)
    address = f"/runs/{run.pk}/documents/validation-report/"
    client.get(address)  # the process remembers blueprints
    with django_assert_max_num_queries(40):
        client.get(address)
