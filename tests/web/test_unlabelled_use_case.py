"""Kinds of use case without a target, from the file to the run, by page."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from pipelines.runs.models import Run
from pipelines.usecases.models import UseCase
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db
ROWS = b"case,at,length\n" + b"".join(
    b"c%d,2024-01-%02d,%d\n" % (n, n % 28 + 1, n) for n in range(60)
)
KINDS = ("clustering", "anomaly-detection")


@pytest.fixture
def draft(client: Client, cast: Cast) -> UseCase:
    """A file brought by the analyst, with nothing chosen to predict."""
    for key in ("tabular-classification", *KINDS):
        factories.published(key)
    client.force_login(cast.amara)
    file = SimpleUploadedFile("boats.csv", ROWS, content_type="text/csv")
    answer = client.post("/use-cases/new/", {"question": "Which boats?", "files": [file]})
    assert answer.status_code == 302
    return UseCase.objects.get(draft=True)


@pytest.mark.parametrize("key", KINDS)
def test_a_run_starts_without_a_target(client: Client, draft: UseCase, key: str) -> None:
    path = f"/use-cases/{draft.key}"
    assert "where nothing is predicted" in client.get(f"{path}/columns/").content.decode()
    page = client.get(f"{path}/start/", {"blueprint": key}).content.decode()
    for kind in KINDS:
        assert f'value="{kind}"' in page
    assert 'name="p.target"' not in page
    assert 'name="p.key_column"' in page
    form = {"blueprint": key, "title": "Boats", "question": "Which boats?"}
    form |= {"p.time_column": "at", "p.key_column": "case"}
    assert client.post(f"{path}/start/", form).status_code == 302
    run = Run.objects.get()
    assert (run.version.blueprint.key, run.parameters["key_column"]) == (key, "case")


def test_anomaly_detection_asks_for_the_time(client: Client, draft: UseCase) -> None:
    form = {"blueprint": "anomaly-detection", "title": "Boats", "question": "Which boats?"}
    answer = client.post(f"/use-cases/{draft.key}/start/", form)
    assert answer.status_code == 422
    assert "is required" in answer.content.decode()
