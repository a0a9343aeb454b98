"""Files over the API: kept whole or not at all, and what is found in them."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from pipelines.artefacts.models import Artefact, Inspection
from pipelines.operations.brought.example import logistic_graph
from tests.api.conftest import Client
from tests.cast import Cast

CSV = b"flight,carrier,late\n1,AA,yes\n2,UA,no\n3,B6,no\n4,DL,yes\n"


def send(client: Any, content: bytes, *, name: str = "flights.csv", to: str = "artefacts") -> Any:
    file = SimpleUploadedFile(name, content, content_type="application/octet-stream")
    return client.post(f"/api/v1/{to}", {"file": file}, format="multipart")


def test_it_keeps_a_file_under_its_digest(cast: Cast, api: Client) -> None:
    client = api(cast.amara)
    answer = send(client, CSV)
    assert answer.status_code == 201
    found = answer.json()
    assert (found["media"], found["size"], found["name"]) == ("csv", len(CSV), "flights.csv")
    assert client.get(f"/api/v1/artefacts/{found['digest']}").json()["size"] == len(CSV)
    content = client.get(f"/api/v1/artefacts/{found['digest']}/content")
    assert b"".join(content.streaming_content) == CSV
    assert "attachment" in content.headers["Content-Disposition"]


def test_the_second_to_bring_the_same_file_sees_it_too(cast: Cast, api: Client) -> None:
    digest = send(api(cast.amara), CSV).json()["digest"]
    address = f"/api/v1/artefacts/{digest}"
    assert api(cast.lena).get(address).status_code == 404
    assert send(api(cast.lena), CSV).json()["digest"] == digest
    assert api(cast.lena).get(address).status_code == 200


@override_settings(UPLOAD_LIMIT_MB=1)
@pytest.mark.parametrize("announced", [True, False])
def test_it_refuses_what_is_too_large_and_keeps_nothing(
    cast: Cast, api: Client, announced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not announced:  # the length a client announces may lie: then the handler stops it
        monkeypatch.setattr("portal.uploads.check_length", lambda request: None)
    answer = send(api(cast.amara), b"a,b\n" + b"1,2\n" * 400_000)
    assert answer.status_code == 413
    problem = answer.json()
    assert problem["code"] == "upload_too_large"
    assert "limit is 1 MB" in problem["detail"]
    assert problem["size_bytes"] > problem["limit_bytes"] == 1024 * 1024
    assert not Artefact.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "rule"),
    [
        (b"", "empty.csv", "empty (0 bytes)"),
        (b"PAR1 and no more", "broken.parquet", "begin and end with PAR1"),
        (b"PK\x03\x04 sheet", "book.xlsx", "found a zip archive"),
        (b"\x80\x04\x95 model", "model.pkl", "is a pickle"),
        (b"cos\nsystem\n(S'id'\ntR.", "old.onnx", "is a pickle"),
        (b"\x89HDF\r\n\x1a\n", "model.skops", "its layers may hold code"),
        (b"a,b\n1,2\n", "table.onnx", "neither skops nor ONNX"),
        (b"\x00\x01\x02\x03", "image.raw", "neither CSV nor Parquet"),
    ],
)
def test_it_names_file_and_rule(
    cast: Cast, api: Client, content: bytes, name: str, rule: str
) -> None:
    answer = send(api(cast.amara), content, name=name)
    assert answer.status_code == 422
    (text,) = answer.json()["fields"]["file"]
    assert text.startswith(name)
    assert rule in text
    assert not Artefact.objects.exists()


def test_a_model_is_known_by_its_content_or_its_name(cast: Cast, api: Client) -> None:
    client = api(cast.amara)
    graph = logistic_graph().SerializeToString()
    assert send(client, graph, name="late.onnx").json()["media"] == "onnx"
    assert send(client, b'{"format": 1}', name="late.json").json()["media"] == "json"


def test_it_needs_one_file(cast: Cast, api: Client) -> None:
    client = api(cast.amara)
    assert client.post("/api/v1/artefacts", {}, format="multipart").status_code == 422
    two = {"file": io.BytesIO(CSV), "other": io.BytesIO(CSV)}
    assert client.post("/api/v1/artefacts", two, format="multipart").status_code == 422
    assert client.post("/api/v1/artefacts", {"file": "x"}).status_code == 415


def test_it_looks_into_an_upload_in_a_child(cast: Cast, api: Client) -> None:
    """The child is a real process; its answer is kept by digest."""
    client = api(cast.amara)
    answer = send(client, CSV, to="uploads/inspect")
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert (found["usable"], found["rows"]) == (True, 4)
    assert [column["name"] for column in found["columns"]] == ["flight", "carrier", "late"]
    assert found["suggested_target"] == "late"
    again = client.post("/api/v1/uploads/inspect", {"digest": found["digest"]})
    assert again.json() == found
    assert Inspection.objects.count() == 1


def test_problems_name_file_row_column_and_value(cast: Cast, api: Client) -> None:
    found = send(api(cast.amara), b"a,a,\n1,2,3\n", name="doubled.csv", to="uploads/inspect").json()
    assert found["usable"] is False
    assert all(problem["file"] == "doubled.csv" for problem in found["problems"])
    assert {"code", "row", "column", "rule", "value", "message"} <= set(found["problems"][0])


def test_nobody_looks_into_what_is_not_theirs(cast: Cast, api: Client) -> None:
    digest = send(api(cast.amara), CSV).json()["digest"]
    answer = api(cast.lena).post("/api/v1/uploads/inspect", {"digest": digest})
    assert answer.status_code == 404
