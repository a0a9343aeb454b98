"""Bodies that JSON allows and no table can hold: refused, never a defect of ours."""

import pytest
from rest_framework.test import APIClient

from pipelines.runs.models import WorkItem
from tests import factories
from tests.api import world
from tests.api.conftest import Client
from tests.cast import Cast


@pytest.fixture
def item(cast: Cast) -> WorkItem:
    """Amara's work item."""
    run = factories.run_of(cast, factories.use_case(cast, blueprint="checked"))
    factories.work_off()
    found: WorkItem = run.items.get(key="go")
    return found


def send(client: APIClient, item: WorkItem, body: bytes) -> tuple[int, str]:
    """Post a draft; returns status and code."""
    answer = client.post(
        f"/api/v1/items/{item.pk}/draft", data=body, content_type="application/json"
    )
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    "value",
    [
        rb'"a\u0000b"',
        rb'"\ud800"',
        rb"1e999",
        rb'{"deep": ["a\u0000b"]}',
        rb'{"\u0000": 1}',
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_what_no_table_can_hold_is_refused(
    api: Client, cast: Cast, item: WorkItem, value: bytes
) -> None:
    client = api(cast.amara)
    client.post(f"/api/v1/items/{item.pk}/claim")
    version = client.get(f"/api/v1/items/{item.pk}").json()["version"]
    body = b'{"version": %d, "data": {"reason": %s}}' % (version, value)
    assert send(client, item, body) == (400, "malformed")


@pytest.mark.parametrize("stream", ["run:\u00b2", "run:" + "9" * 30, "use_case:\u00b2"])
def test_a_stream_that_cannot_be_is_not_found(api: Client, cast: Cast, stream: str) -> None:
    answer = api(cast.amara).get("/api/v1/ledger", {"stream": stream})
    assert answer.status_code == 404


def test_data_of_a_work_item_has_a_limit(api: Client, cast: Cast, item: WorkItem) -> None:
    client = api(cast.amara)
    client.post(f"/api/v1/items/{item.pk}/claim")
    version = client.get(f"/api/v1/items/{item.pk}").json()["version"]
    answer = client.post(
        f"/api/v1/items/{item.pk}/draft",
        {"version": version, "data": {"reason": ["x" * 1000] * 1000}},
    )
    assert answer.status_code == 422
    assert "data" in answer.json()["fields"]


def test_a_service_account_reports_labels_of_a_model_it_has_no_seat_on(
    api: Client, cast: Cast
) -> None:
    name = world.make(cast)["models"]["name"]
    cast.iris.is_service = True
    cast.iris.save()
    labels = {"labels": [{"key": "r1", "value": True}]}
    answer = api(cast.iris).post(f"/api/v1/models/{name}/labels", labels)
    assert answer.status_code == 200, answer.content
    cast.iris.is_service = False
    cast.iris.save()
    answer = api(cast.iris).post(f"/api/v1/models/{name}/labels", labels)
    assert answer.status_code == 404
