"""A new use case from files: each step keeps what was given, and says what is wrong where."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from pipelines.artefacts.models import Artefact
from pipelines.usecases.models import UseCase
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db

ROWS = "id,on,plan,left\n" + "".join(
    f"C{n},2025-01-{n % 28 + 1:02d},{'pro' if n % 3 else 'basic'},{'yes' if n % 4 == 0 else 'no'}\n"
    for n in range(60)
)


def upload(client: Client, path: str = "/use-cases/new/", **form: Any) -> Any:
    return client.post(path, form)


def csv(text: str = ROWS, name: str = "customers.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode(), content_type="text/csv")


@pytest.fixture
def amara(client: Client, cast: Cast) -> Client:
    factories.published("tabular-classification")
    client.force_login(cast.amara)
    return client


def draft(amara: Client, **form: Any) -> UseCase:
    answer = upload(amara, question="Who will leave?", files=[csv()], **form)
    assert answer.status_code == 302, answer.content.decode()
    return UseCase.objects.get(draft=True)


def test_a_file_becomes_a_draft_with_what_was_found(amara: Client) -> None:
    made = draft(amara)
    assert (made.title, made.question) == ("Who will leave?", "Who will leave?")
    assert [table["name"] for table in made.inputs["tables"]] == ["customers"]
    page = amara.get(f"/use-cases/{made.key}/columns/").content.decode()
    assert "60 rows" in page
    assert '<option value="left" selected>' in page  # the suggested target
    assert '<option value="on" selected>' in page  # the suggested time
    assert "draft" in amara.get("/use-cases/").content.decode()


def test_a_number_as_target_suits_regression(amara: Client) -> None:
    factories.published("tabular-regression")
    rows = "id,left,spent\n" + "".join(f"C{n},{n % 2},{n / 7:.3f}\n" for n in range(60))
    answer = upload(amara, question="Who spends how much?", files=[csv(rows)])
    made = UseCase.objects.get(draft=True)
    form = {"base": "customers", "target": "spent", "key_column": "id", "blueprint": "hello"}
    assert answer.status_code == 302
    amara.post(f"/use-cases/{made.key}/columns/", form)
    made.refresh_from_db()
    assert made.blueprint is not None
    assert made.blueprint.key == "tabular-regression"
    amara.post(f"/use-cases/{made.key}/columns/", {**form, "target": "left"})
    made.refresh_from_db()
    assert made.blueprint.key == "tabular-classification"


def test_a_target_of_several_classes_is_taken_and_one_of_too_many_refused(amara: Client) -> None:
    head = "id,kind,topic\n"
    rows = head + "".join(f"C{n},k{n % 5},t{n % 30}\n" for n in range(90))
    upload(amara, question="Which kind is it?", files=[csv(rows)])
    made = UseCase.objects.get(draft=True)
    path = f"/use-cases/{made.key}/columns/"
    form = {"base": "customers", "target": "kind", "key_column": "id", "blueprint": "hello"}
    amara.post(path, form)
    made.refresh_from_db()
    assert made.parameters["target"] == "kind"
    assert made.blueprint is not None
    assert made.blueprint.key == "tabular-classification"
    refused = amara.post(path, {**form, "target": "topic"}).content.decode()
    assert "topic has 30 classes, at most 20 can be told apart" in refused
    asked = amara.post(path, {**form, "positive": "k1"}).content.decode()
    assert "kind has 5 classes, and none of them is the positive" in asked
    made.refresh_from_db()
    assert made.parameters["target"] == "kind"
    assert "positive" not in made.parameters


def test_the_whole_way_to_a_running_run(amara: Client, cast: Cast) -> None:
    made = draft(amara)
    path = f"/use-cases/{made.key}"
    form = {
        "base": "customers",
        "target": "left",
        "time_column": "on",
        "key_column": "id",
        "positive": "yes",
        "exclude": ["plan"],
        "blueprint": "tabular-classification",
    }
    answer = amara.post(f"{path}/columns/", form)
    assert answer["Location"] == f"{path}/seats/"
    seats = {f"seat.{code}": str(cast.of(code).pk) for code in ("DE", "DS", "MLR", "MLE")}
    assert amara.post(f"{path}/seats/", seats)["Location"] == f"{path}/start/"
    page = amara.get(f"{path}/start/").content.decode()
    assert 'value="left"' in page
    assert "Seats are missing" in page  # SWE and OPS
    form = {
        "blueprint": "tabular-classification",
        "title": "Leavers",
        "question": "Who will leave?",
        "p.target": "left",
        "p.time_column": "on",
        "p.key_column": "id",
        "p.positive": "yes",
        "p.exclude": "plan",
    }
    assert amara.post(f"{path}/start/", form)["Location"] == f"{path}/"
    made.refresh_from_db()
    run = made.runs.get()
    assert (made.draft, made.title) == (False, "Leavers")
    assert run.parameters["exclude"] == ["plan"]
    assert run.inputs["tables"][0]["digest"] == made.inputs["tables"][0]["digest"]
    assert run.state == "RUNNING"


def test_a_bad_file_is_named_by_row_and_column(amara: Client) -> None:
    answer = upload(amara, question="?", title="Bad", files=[csv("a,b,b\n1,2,3\n", "bad.csv")])
    page = amara.get(answer["Location"]).content.decode()
    assert "It cannot be used like this" in page
    assert "column names are unique" in page
    key = UseCase.objects.get(title="Bad").key
    fixed = csv(ROWS, "bad.csv")
    assert upload(amara, f"/use-cases/{key}/files", files=[fixed]).status_code == 302
    page = amara.get(f"/use-cases/{key}/columns/").content.decode()
    assert "60 rows" in page
    assert "cannot be used" not in page


@pytest.mark.parametrize(
    ("content", "name", "rule"),
    [
        (b"", "empty.csv", "the file is empty"),
        (b"\x80\x04\x95junk", "model.csv", "pickle"),
        (b"PK\x03\x04junk", "book.xlsx", "zip archive"),
        (b"PAR1 and no end", "half.parquet", "begin and end with PAR1"),
    ],
)
def test_what_is_no_table_is_refused_and_the_words_are_kept(
    amara: Client, content: bytes, name: str, rule: str
) -> None:
    file = SimpleUploadedFile(name, content)
    answer = upload(amara, question="Kept words", files=[file])
    page = answer.content.decode()
    assert answer.status_code == 422
    assert name in page
    assert rule in page
    assert "Kept words" in page
    assert not UseCase.objects.exists()


def test_too_large_is_said_before_it_is_read(amara: Client, settings: Settings) -> None:
    settings.UPLOAD_LIMIT_MB = 1
    big = SimpleUploadedFile("big.csv", b"a,b\n" + b"1,2\n" * 600_000)
    answer = upload(amara, files=[big])
    assert answer.status_code == 413
    assert "the limit is 1 MB" in answer.content.decode()
    assert not Artefact.objects.exists()


def test_the_columns_must_be_there(amara: Client) -> None:
    made = draft(amara)
    path = f"/use-cases/{made.key}/columns/"
    form = {"base": "customers", "target": "", "time_column": "never", "key_column": "id"}
    answer = amara.post(path, form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "choose the column to predict" in page
    assert "has no column &#x27;never&#x27;" in page
    assert '<option value="id" selected>' in page  # what was right is kept
    same = amara.post(path, {"base": "customers", "target": "on", "time_column": "on"})
    assert "cannot be the target" in same.content.decode()


def test_a_run_that_cannot_start_keeps_the_draft(amara: Client) -> None:
    made = draft(amara)
    form = {"blueprint": "tabular-classification", "title": "Leavers", "p.search_trials": "3"}
    answer = amara.post(f"/use-cases/{made.key}/start/", {**form, "p.train_rows": "500"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="3"' in page
    assert "must be &gt;= 1000, got 500" in page  # of a sample to learn from
    made.refresh_from_db()
    assert made.draft
    assert made.title == "Leavers"
    assert not made.runs.exists()


def test_a_question_alone_is_enough(amara: Client) -> None:
    factories.published("hello")
    answer = upload(amara, question="Say hello?")
    made = UseCase.objects.get()
    assert answer["Location"] == f"/use-cases/{made.key}/seats/"
    assert upload(amara).status_code == 422  # neither title, question nor file


def test_the_token_is_checked_although_the_limit_comes_first(cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.amara)
    assert upload(client, question="Forged?").status_code == 403
    assert not UseCase.objects.exists()


def test_only_its_framer_goes_on_with_a_draft(amara: Client, cast: Cast) -> None:
    made = draft(amara)
    amara.force_login(cast.sofia)
    assert amara.get(f"/use-cases/{made.key}/columns/").status_code == 404


def test_texts_and_their_authors_are_found_and_proposed(amara: Client) -> None:
    rows = "".join(
        f"author {n % 15},the tea of lot {n} was {'fresh and fine' if n % 3 else 'stale'},"
        f"{'yes' if n % 3 else 'no'}\n"
        for n in range(60)
    )
    file = csv("author,comment,praise\n" + rows, "comments.csv")
    answer = upload(amara, question="Which comments praise?", files=[file])
    made = UseCase.objects.get(draft=True)
    page = amara.get(answer["Location"]).content.decode()
    assert "of texts (comment)" in page
    assert '<option value="author" selected>author (15 values)' in page
    assert "Baton suggests author, which several rows share" in page
    factories.published("text-classification")
    form = {
        "base": "comments",
        "target": "praise",
        "group_column": "author",
        "blueprint": "text-classification",
    }
    amara.post(f"/use-cases/{made.key}/columns/", form)
    made.refresh_from_db()
    assert made.parameters["group_column"] == "author"
    assert made.blueprint is not None
    assert made.blueprint.key == "text-classification"
    page = amara.get(f"/use-cases/{made.key}/start/").content.decode()
    assert "Columns of texts" in page
    form |= {"group_column": "praise"}
    refused = amara.post(f"/use-cases/{made.key}/columns/", form)
    assert "the group column cannot be the target, too" in refused.content.decode()
