"""Lineage as a page, as data and as OpenLineage events."""

import uuid

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from pipelines.lineage.queries import lineage_of
from pipelines.registry.models import Deployment
from pipelines.runs.models import Run
from pipelines.serving.models import Prediction
from tests import factories
from tests.api import world
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(cast: Cast) -> Run:
    return factories.hello_run(cast)


def test_the_page_says_the_same_in_a_drawing_and_in_tables(
    client: Client, cast: Cast, run: Run
) -> None:
    factories.to_gate(cast, run)
    client.force_login(cast.sofia)
    answer = client.get(f"/runs/{run.pk}/lineage/")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert '<svg class="lineage"' in text
    assert " style=" not in text
    made = [node for node in lineage_of(run).nodes if node.digest]
    assert made
    for node in made:
        assert node.digest in text
        assert f'href="/api/v1/artefacts/{node.digest}/content"' in text


def test_a_run_that_has_not_begun_has_an_empty_one(client: Client, cast: Cast) -> None:
    case = factories.use_case(cast)
    run = factories.run_of(cast, case, start=False)
    client.force_login(cast.sofia)
    assert "Nothing has been made yet" in client.get(f"/runs/{run.pk}/lineage/").content.decode()


def test_as_data(client: Client, cast: Cast, run: Run) -> None:
    factories.to_gate(cast, run)
    client.force_login(cast.sofia)
    found = client.get(f"/api/v1/runs/{run.pk}/lineage").json()
    ids = {node["id"] for node in found["nodes"]}
    assert {end for edge in found["edges"] for end in (edge["source"], edge["target"])} <= ids
    assert {node["kind"] for node in found["nodes"]} == {"artefact", "step"}
    assert found["blueprint_digest"] == run.version.digest
    events = client.get(f"/api/v1/runs/{run.pk}/lineage/openlineage").json()
    steps = [node for node in found["nodes"] if node["kind"] == "step"]
    assert len(events) == 2 * len(steps)
    assert {event["job"]["namespace"] for event in events} == {"baton"}


def test_it_leads_on_to_deployments_and_their_answers(cast: Cast) -> None:
    run = Run.objects.get(pk=world.make(cast)["runs"]["pk"])
    live = Deployment.objects.get(run=run, ended_at=None)
    for number in range(3):
        Prediction.objects.create(
            model=live.model, version=live.version, deployment=live, mode="live",
            served_by="model", key=str(number), request=uuid.uuid4(),
        )  # fmt: skip
    graph = lineage_of(run)
    answers = graph.node(f"predictions:{live.pk}")
    assert (answers.rows, answers.spine) == (3, True)
    package = live.version.package_id
    assert graph.node(package).spine
    assert (f"version:{live.version_id}", f"deployment:{live.pk}") in {
        (edge.source, edge.target) for edge in graph.edges
    }


def test_a_stranger_learns_nothing(client: Client, cast: Cast, run: Run) -> None:
    client.force_login(cast.iris)
    assert client.get(f"/runs/{run.pk}/lineage/").status_code == 404
    for address in ("lineage", "lineage/openlineage"):
        assert client.get(f"/api/v1/runs/{run.pk}/{address}").status_code == 404


def test_queries_are_fixed(
    client: Client, cast: Cast, run: Run, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    factories.to_gate(cast, run)
    factories.work_off()
    client.force_login(cast.sofia)
    client.get(f"/runs/{run.pk}/lineage/")  # the process remembers blueprints
    with django_assert_max_num_queries(18):
        client.get(f"/runs/{run.pk}/lineage/")
