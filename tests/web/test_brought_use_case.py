"""A model trained elsewhere, brought by page: proposed, uploaded, refused by its content."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from pipelines.artefacts.models import Artefact
from pipelines.operations.brought.example import declaration, logistic_graph
from pipelines.usecases.models import UseCase
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db

ROWS = "id,wind,late\n" + "".join(f"F{n},{n % 7 + 0.5},{n % 2}\n" for n in range(60))
GRAPH = logistic_graph().SerializeToString()
STATED = json.dumps(declaration()).encode()


@pytest.fixture
def amara(client: Client, cast: Cast) -> Client:
    factories.published("tabular-classification")
    factories.published("brought-classification")
    client.force_login(cast.amara)
    return client


@pytest.fixture
def made(amara: Client) -> UseCase:
    """A draft whose table was looked at, for which a model exists."""
    file = SimpleUploadedFile("flights.csv", ROWS.encode(), content_type="text/csv")
    amara.post("/use-cases/new/", {"question": "Which will be late?", "files": [file]})
    found = UseCase.objects.get(draft=True)
    form = {"base": "flights", "target": "late", "key_column": "id", "brought": "yes"}
    amara.post(f"/use-cases/{found.key}/columns/", form)
    found.refresh_from_db()
    return found


def start(amara: Client, made: UseCase, **files: tuple[str, bytes]) -> Any:
    form: dict[str, Any] = {
        "blueprint": "brought-classification",
        "title": "Late",
        "question": "Which will be late?",
        "p.target": "late",
        "p.key_column": "id",
    }
    form |= {f"i.{key}": SimpleUploadedFile(*file) for key, file in files.items()}
    return amara.post(f"/use-cases/{made.key}/start/", form)


def test_a_model_that_exists_is_asked_for_in_the_last_step(amara: Client, made: UseCase) -> None:
    assert made.blueprint is not None
    assert made.blueprint.key == "brought-classification"
    assert (
        'name="brought" value="yes" checked'
        in amara.get(f"/use-cases/{made.key}/columns/").content.decode()
    )
    page = amara.get(f"/use-cases/{made.key}/start/").content.decode()
    for key, accept in (("model", ".onnx,.skops"), ("declaration", ".json"), ("golden", ".json")):
        assert f'name="i.{key}" accept="{accept}"' in page


def test_the_files_become_the_runs_inputs(amara: Client, made: UseCase) -> None:
    files = {"model": ("late.onnx", GRAPH), "declaration": ("late.json", STATED)}
    answer = start(amara, made, **files)
    assert answer.status_code == 302, answer.content.decode()
    run = made.runs.get()
    assert (run.inputs["model"][0]["name"], run.inputs["model"][0]["media"]) == ("late", "onnx")
    assert run.inputs["declaration"][0]["media"] == "json"
    assert "golden" not in run.inputs


def test_what_is_lacking_is_said_at_its_field(amara: Client, made: UseCase) -> None:
    answer = start(amara, made, declaration=("late.json", STATED))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "is required: at least one artefact" in page
    made.refresh_from_db()
    assert "declaration" in made.inputs  # what was given is kept


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("model.pkl", b"\x80\x04\x95 junk", "is a pickle, which runs code"),
        ("model.onnx", b"\x80\x04\x95 junk", "is a pickle, which runs code"),
        ("model.skops", b"\x78\x9c\x6b\x60", "it is compressed"),
        ("model.h5", b"\x89HDF\r\n\x1a\n", "its layers may hold code"),
        ("model.txt", b"tree\nversion=v4", "convert it with onnxmltools"),
    ],
)
def test_what_is_no_model_is_refused_and_not_kept(
    amara: Client, made: UseCase, name: str, content: bytes, reason: str
) -> None:
    before = Artefact.objects.count()
    answer = start(amara, made, model=(name, content))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert reason in page
    assert not made.runs.exists()
    assert Artefact.objects.count() == before


def test_who_may_start_a_run_may_bring_its_model(
    amara: Client, made: UseCase, cast: Cast, client: Client
) -> None:
    """The researcher's files are the run's; the use case stays as the analyst made it."""
    files = {"model": ("late.onnx", GRAPH), "declaration": ("late.json", STATED)}
    researcher = cast.of("MLR")
    amara.post(f"/use-cases/{made.key}/seats/", {"seat.MLR": str(researcher.pk)})
    client.force_login(researcher)
    answer = start(client, made, **files)
    assert answer.status_code == 302, answer.content.decode()
    assert made.runs.get().inputs["model"][0]["media"] == "onnx"
    made.refresh_from_db()
    assert "model" not in made.inputs
