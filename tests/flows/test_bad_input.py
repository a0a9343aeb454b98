"""Refused input: named by file, row, column or path, value and rule; nothing half-created stays."""

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.blueprints.shipped import shipped_text
from portal.demo.desk import Refused
from tests.flows.baton import UPLOAD_LIMIT_MB, Baton
from tests.flows.test_repeat import BLUEPRINT, KEY

FILES = {
    "header-only.csv": (b"a,b\n", "header_only", {"column": None, "value": 0}),
    "caret.csv": (b"a^b\n1^2\n3^4\n", "wrong_delimiter", {"row": 1, "column": "a^b"}),
    "mixed.csv": (
        b"name,city\nJ\xc3\xbcrgen,Bern\nJos\xe9,Trier\n",
        "mixed_encodings",
        {"row": 3, "value": "0xE9"},
    ),
    "twice.csv": (b"a,a,b\n1,2,3\n", "duplicate_column", {"row": 1, "column": "a"}),
    "blank.csv": (b"a,,b\n1,2,3\n", "blank_column", {"row": 1, "column": "#2"}),
    "infinite.csv": (b"a,b\n1,2\n-inf,3\n", "infinity", {"row": 3, "column": "a", "value": "-inf"}),
    "dates.csv": (
        b"n,day\n1,2024-01-31\n2,31.01.2024\n3,01/31/2024\n",
        "mixed_dates",
        {"row": 4, "column": "day"},
    ),
}
TOLD = {
    "bom.csv": (b"\xef\xbb\xbfa,b\n1,2\n3,4\n", "byte_order_mark", {}),
    "shops.csv": (
        b"shop,y\n" + b"".join(b"s%d,%d\n" % (n % 300, n % 2) for n in range(900)),
        "many_categories",
        {"column": "shop", "value": 300, "rule": "<= 255 categories"},
    ),
}


def inspected(baton: Baton, content: bytes, name: str) -> dict[str, Any]:
    found = baton.desks["DE"].post("uploads/inspect", files={"file": (name, content)})
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", [*FILES, *TOLD])
def test_a_look_names_file_row_column_value_and_rule(baton: Baton, name: str) -> None:
    content, code, where = (FILES | TOLD)[name]
    found = inspected(baton, content, name)
    assert found["usable"] is (name in TOLD)
    problem = next(problem for problem in found["problems"] if problem["code"] == code)
    assert {key: problem[key] for key in where} == where
    assert problem["file"] == name
    assert problem["rule"] or name in TOLD
    assert problem["message"]


def bomb() -> bytes:
    """Twenty million rows in less than 200 kB."""
    sink = io.BytesIO()
    zeros = pa.table({"a": pa.array([0] * 1_000_000)})
    with pq.ParquetWriter(sink, zeros.schema) as writer:
        for _ in range(300):
            writer.write_table(zeros)
    return sink.getvalue()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(baton: Baton) -> None:
    content = bomb()
    assert len(content) < UPLOAD_LIMIT_MB << 20
    found = inspected(baton, content, "bomb.parquet")
    (problem,) = found["problems"]
    assert (found["usable"], problem["code"]) == (False, "too_large_decoded")
    assert problem["value"] == 300_000_000 * 8
    assert "300,000,000 rows" in problem["message"]
    assert problem["rule"].startswith("decoded size <=")


@pytest.mark.parametrize(
    ("name", "content", "status", "text"),
    [
        ("empty.csv", b"", 422, "empty.csv"),
        ("model.pkl", b"\x80\x04\x95 model", 422, "pickle"),
        ("big.csv", b"a,b\n" + b"1,2\n" * (UPLOAD_LIMIT_MB << 18), 413, "limit is 4 MB"),
    ],
)
def test_what_cannot_be_kept_leaves_nothing(
    baton: Baton, name: str, content: bytes, status: int, text: str
) -> None:
    before = kept(baton)
    with pytest.raises(Refused) as refused:
        baton.desks["DE"].post("artefacts", files={"file": (name, content)})
    assert refused.value.status == status
    assert text in str(refused.value.problem)
    assert kept(baton) == before


def kept(baton: Baton) -> set[Path]:
    """Every file that artefacts and uploads under way have left."""
    var = baton.folder / "var"
    folders = (var / "artefacts", var / "tmp")
    return {path for folder in folders for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "content", "code", "value"),
    [
        ("one-class.csv", b"x,malignant\n" + b"1,no\n2,no\n" * 20, "target_one_class", "no"),
        ("no-label.csv", b"x,malignant\n" + b"1,\n2,\n" * 20, "target_missing", None),
        ("other.csv", b"x,y\n" + b"1,2\n" * 20, None, None),
    ],
)
def test_a_run_on_an_unusable_target_says_so_and_makes_nothing(
    baton: Baton, name: str, content: bytes, code: str | None, value: str | None
) -> None:
    headers = {"Content-Type": "application/toml"}
    baton.desks["OPS"].post("blueprints", content=BLUEPRINT, headers=headers)
    part = baton.bring(content, name)
    key = baton.frame(f"Refused {name}", KEY, inputs={"tables": [part]})
    run = baton.run(key)

    def failed(now: dict[str, Any]) -> bool:
        return any(stage["state"] == "FAILED" for stage in now["stages"])

    baton.wait(run, failed, what="the stage has failed")
    (attempt,) = baton.desks["MLR"].all(f"runs/{run}/attempts")
    error = attempt["error"]
    assert attempt["state"] == "FAILED"
    assert "malignant" in error["message"]
    if code:
        assert (error["code"], error["field"], error["value"]) == (code, "malignant", value)
        assert error["rule"] == "has at least two values"
    steps = baton.desks["MLR"].all(f"runs/{run}/steps")
    assert [(step["key"], step["outputs"]) for step in steps] == [("ingest", {})]
    (item,) = (i for i in baton.desks["MLR"].all(f"runs/{run}/items") if i["kind"] == "attention")
    assert item["persona"] == "MLR"


def test_a_run_whose_input_is_missing_is_not_created(baton: Baton) -> None:
    key = baton.frame("No file at all", "tabular-classification")
    with pytest.raises(Refused) as refused:
        baton.run(key, parameters={"search_trials": 1, "shade": "blue"})
    assert refused.value.status == 422
    wrong = {"parameters.search_trials", "parameters.shade", "parameters.target", "inputs.tables"}
    assert wrong <= set(refused.value.problem["fields"])
    assert baton.desks["BA"].all(f"use-cases/{key}/runs") == []


GATE = 'rules = [{ persona = "DS", min = 1 }]'
BLUEPRINTS = {
    "cycle": ('needs = ["ask"]', 'needs = ["answer"]', "stages", "waits for itself"),
    "stranger": ('persona = "DE"', 'persona = "QA"', "stages[1].persona", "QA"),
    "unbounded": (
        'persona = "DE"',
        'persona = "DE"\nmax_rounds = 0',
        "stages[1].max_rounds",
        "0",
    ),
    "unsatisfiable": (
        GATE,
        'rules = [{ persona = "DE", min = 1 }]\nexclude = ["subject_author"]',
        "stages[1].gate.rules",
        "DE",
    ),
}


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_a_bad_blueprint_is_refused_with_its_path(baton: Baton, name: str) -> None:
    old, new, path, value = BLUEPRINTS[name]
    text = shipped_text("hello").replace('key = "hello"', f'key = "bad-{name}"')
    assert old in text
    headers = {"Content-Type": "application/toml"}
    bad = text.replace(old, new, 1)
    found = baton.desks["OPS"].post("blueprints/lint", content=bad, headers=headers)
    assert found["publishable"] is False
    problem = next(p for p in found["problems"] if p["path"].startswith(path))
    assert value in f"{problem['message']} {problem['value']}"
    assert problem["rule"] or name in TOLD
    with pytest.raises(Refused) as refused:
        baton.desks["OPS"].post("blueprints", content=bad, headers=headers)
    assert refused.value.status == 422
    assert any(field.startswith(path) for field in refused.value.problem["fields"])
    assert f"bad-{name}" not in {row["key"] for row in baton.desks["OPS"].all("blueprints")}
