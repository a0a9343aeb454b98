"""The lineage graph: what was made of what, how many rows, which code, and what it led to."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.lineage.graph import (
    ARTEFACT,
    DEPLOYMENT,
    MODEL,
    PREDICTIONS,
    RAW,
    STEP,
    WINDOW,
    Graph,
    Part,
    Performed,
    Record,
    Served,
    Version,
    build,
    rows_of,
)
from pipelines.lineage.picture import draw


def part(name: str, letter: str, media: str = "parquet") -> Part:
    return Part(name, letter * 64, media, 10)


RAWS, TABLE = part("digits", "a"), part("table", "b")
TRAIN, HOLDOUT = part("train", "c"), part("holdout", "d")
MODEL_FILE, PACKAGE = part("model", "e", "skops"), part("package", "f", "zip")
REPORT, WINDOWED = part("report", "9", "json"), part("live_window", "8")


def step(
    attempt: int,
    place: str,
    operation: str,
    inputs: list[Part],
    outputs: list[Part],
    **more: Any,
) -> Performed:
    made = Performed(
        attempt, attempt + 100, place, place.title(), operation, 1, 2013,
        tuple((one.name, one) for one in inputs), outputs=tuple(outputs),
        started_at="2026-01-01T00:00:00+00:00", finished_at="2026-01-01T00:00:05+00:00",
    )  # fmt: skip
    return replace(made, **more)


RECORD = Record(
    run=7,
    label="Run 1",
    use_case="odd-digits",
    blueprint="plan v1",
    blueprint_digest="0" * 64,
    inputs=(("tables", RAWS),),
    steps=(
        step(1, "source.ingest", "ingest", [RAWS], [TABLE],
             facts={"rows": 1790, "files": [{"name": "digits", "rows": 1797}]}),
        step(2, "explore.split", "split_data", [TABLE], [TRAIN, HOLDOUT],
             facts={"rows": 1790, "parts": {"train": {"rows": 1168}, "holdout": {"rows": 622}}}),
        step(3, "tune.train", "train_candidate", [TRAIN], [MODEL_FILE], facts={"rows": 1168}),
        step(4, "operationalise.package", "package_model", [MODEL_FILE, HOLDOUT], [PACKAGE]),
        step(5, "monitor.drift", "measure_drift", [HOLDOUT], [REPORT],
             feeds=(("window", "live_window", WINDOWED), ("champion", "champion", None))),
    ),
    versions=(
        Version(3, "odd-digits", 1, "APPROVED", PACKAGE.digest, 5, (
            Served(8, "live", 1.0, "2026-01-02T00:00:00", "", 9400, "2026-01-02", "2026-01-09"),
            Served(9, "shadow", 1.0, "2026-01-01T00:00:00", "2026-01-02T00:00:00", 0),
        )),
    ),
)  # fmt: skip


@pytest.fixture
def graph() -> Graph:
    return build(RECORD)


def led_to(graph: Graph, key: str) -> set[str]:
    """Everything from which the node can be reached."""
    found = {key}
    while True:
        more = {edge.source for edge in graph.edges if edge.target in found} - found
        if not more:
            return found - {key}
        found |= more


def test_predictions_lead_back_to_the_raw_rows(graph: Graph) -> None:
    back = led_to(graph, "predictions:8")
    kinds = {graph.node(key).kind for key in back}
    assert kinds == {RAW, ARTEFACT, STEP, MODEL, DEPLOYMENT}
    assert {one.digest for one in (RAWS, TABLE, TRAIN, HOLDOUT, MODEL_FILE, PACKAGE)} <= back
    assert REPORT.digest not in back


def test_rows_are_those_that_steps_counted(graph: Graph) -> None:
    counted = {graph.node(one.digest).title: graph.node(one.digest).rows
               for one in (RAWS, TABLE, TRAIN, HOLDOUT, MODEL_FILE)}  # fmt: skip
    assert counted == {
        "digits": 1797, "table": 1790, "train": 1168, "holdout": 622, "model": None,
    }  # fmt: skip
    assert graph.node("predictions:8").rows == 9400


def test_what_made_a_thing_says_its_code(graph: Graph) -> None:
    assert graph.node(TRAIN.digest).code == "split_data v1"
    assert graph.node(RAWS.digest).code == ""
    assert graph.node("attempt:2").path == "/runs/7/#step-102"


def test_the_spine_is_what_led_to_the_version_and_what_came_of_it(graph: Graph) -> None:
    off = {node.id for node in graph.nodes if not node.spine}
    assert off == {"attempt:5", REPORT.digest, WINDOWED.digest, "window:5:champion"}


def test_a_deployment_without_an_answer_has_no_predictions(graph: Graph) -> None:
    made = {node.id for node in graph.nodes if node.kind == PREDICTIONS}
    assert made == {"predictions:8"}


def test_before_a_version_the_spine_leads_to_the_last_model() -> None:
    graph = build(replace(RECORD, versions=(), steps=RECORD.steps[:3]))
    assert {node.title for node in graph.nodes if node.spine and node.kind == ARTEFACT} == {
        "table", "train", "model",
    }  # fmt: skip


def test_a_window_is_gathered_for_one_step(graph: Graph) -> None:
    windows = [node for node in graph.nodes if node.kind == WINDOW]
    assert [(node.title, node.digest) for node in windows] == [
        ("live window", WINDOWED.digest),
        ("champion", ""),
    ]
    for window in windows:
        assert [edge.target for edge in graph.edges if edge.source == window.id] == ["attempt:5"]


def test_equal_content_is_one_node() -> None:
    """A step that chooses one of several hands on the very file: no second node, and no end."""
    choose = step(6, "tune.select", "select_candidate", [MODEL_FILE], [MODEL_FILE])
    graph = build(replace(RECORD, steps=(*RECORD.steps[:3], choose, *RECORD.steps[3:])))
    assert sum(node.digest == MODEL_FILE.digest for node in graph.nodes) == 1
    picture = draw(graph)
    assert len({(box.x, box.y) for box in picture.boxes}) == len(picture.boxes)


def test_nothing_yet_is_an_empty_drawing() -> None:
    picture = draw(build(Record(7, "Run 1", "odd-digits", "plan v1", "0" * 64)))
    assert picture.boxes == picture.links == ()


def test_the_drawing_goes_from_left_to_right(graph: Graph) -> None:
    picture = draw(graph)
    across = {box.node.id: box.x for box in picture.boxes}
    things = set(across)
    for edge in graph.edges:
        if edge.source in things and edge.target in things:
            assert across[edge.source] < across[edge.target]
    chain = [RAWS.digest, TABLE.digest, TRAIN.digest, MODEL_FILE.digest, PACKAGE.digest]
    places = [across[key] for key in (*chain, "version:3", "deployment:8", "predictions:8")]
    assert places == sorted(set(places))
    assert len({(box.x, box.y) for box in picture.boxes}) == len(picture.boxes)
    assert all(
        box.x + 158 <= picture.width and box.y + 58 <= picture.height for box in picture.boxes
    )
    assert not {node.kind for node in (box.node for box in picture.boxes)} & {STEP, WINDOW}


@pytest.mark.parametrize(
    ("facts", "media", "rows"),
    [({"rows": 5}, "parquet", 5), ({"rows": 5}, "json", None), ({}, "csv", None),
     ({"parts": {"x": {"rows": 3}}, "rows": 5}, "parquet", 3), ({"rows": True}, "csv", None)],
)  # fmt: skip
def test_rows_of_a_table_alone(facts: dict[str, object], media: str, rows: int | None) -> None:
    assert rows_of(Part("x", "a" * 64, media), facts) == rows


def test_a_fetched_table_says_through_what_and_when() -> None:
    facts = {"connection": "trips", "asked": "SELECT *\n FROM trips", "rows": 60}
    read = step(1, "source.fetch", "fetch", [], [TABLE], facts=facts)
    graph = build(replace(RECORD, inputs=(), steps=(read,), versions=()))
    node = graph.node(TABLE.digest)
    assert node.detail == "read through trips at 2026-01-01 00:00 UTC: SELECT * FROM trips"
    assert node.rows == 60


def test_a_fetch_that_had_nothing_to_read_is_not_in_the_lineage() -> None:
    idle = step(1, "source.fetch", "fetch", [], [], facts={"connection": ""})
    assert not build(replace(RECORD, inputs=(), steps=(idle,), versions=())).nodes
