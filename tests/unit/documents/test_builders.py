"""What documents say: every figure with its evidence, what is missing by name, the same always."""

from dataclasses import replace

import pytest

from pipelines.checks.worries.meaning import meaning, what_to_do
from pipelines.documents import frameworks, library, views
from pipelines.documents.pack import Done, Output
from pipelines.documents.tree import (
    Document,
    Figure,
    Figures,
    Table,
    Text,
    blocks,
    counts,
    digest_of,
    figures,
)
from tests.unit.documents.packs import FACTS, pack

KINDS = sorted(library.KINDS)
READ = "Read through a connection"


def figure(document: Document, label: str) -> Figure:
    return next(one for one in figures(document) if one.label == label)


def text(document: Document, title: str) -> Text:
    return next(b for b in blocks(document) if isinstance(b, Text) and b.title == title)


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_names_its_evidence(kind: str) -> None:
    document = library.build(kind, pack())
    found = list(figures(document))
    assert found or kind == "hand-off-sheet"
    assert [one.label for one in found if not one.evidence] == []
    assert all(one.path.startswith("/") for figure in found for one in figure.evidence)


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_has_a_cell_for_each_column(kind: str) -> None:
    tables = [b for b in blocks(library.build(kind, pack())) if isinstance(b, Table)]
    assert all(len(row) == len(found.columns) for found in tables for row in found.rows)
    assert all(found.rows for found in tables)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_run_has_every_document_and_says_what_is_missing(kind: str) -> None:
    bare = pack(
        facts={"run": {}}, steps=(), items=(), checks=(), reviews=(), passings=(), releases=(),
        inputs=(),
    )  # fmt: skip
    document = library.build(kind, bare)
    assert document.sections
    assert counts(document)["attested"] == 0
    if kind not in ("validation-report",):
        assert counts(document)["missing"] > 0


def test_a_figure_names_the_step_it_was_read_from() -> None:
    card = library.build("model-card", pack())
    rows = figure(card, "Rows learned from")
    assert rows.value == 1168
    assert [(one.kind, one.path) for one in rows.evidence] == [("step", "/runs/7/#step-21")]
    assert rows.evidence[0].digest == "1" * 64
    judged = figure(card, "Rows judged on")
    assert [one.path for one in judged.evidence] == ["/runs/7/#step-22"]


SAMPLED = {
    "rows_before": 1168, "rows": 1000, "left_out": 168, "sampled": True,
    "how": "drawn at random within each class", "weight_column": "baton_weight",
    "strata": [
        {"class": "no", "rows_before": 1068, "rows": 900, "weight": 1.186667},
        {"class": "yes", "rows_before": 100, "rows": 100, "weight": 1.0},
    ],
}  # fmt: skip


def test_a_sample_says_how_many_rows_it_stands_for_and_their_weights() -> None:
    card = library.build("model-card", pack(facts={**FACTS, "explore.sample": SAMPLED}))
    assert figure(card, "Rows learned from").value == 1000
    assert figure(card, "Rows they stand for").value == 1168
    titles = [one.title for one in blocks(card) if isinstance(one, Table)]
    assert "Sampled, with weights" in titles


def test_a_table_that_was_not_sampled_is_no_sample() -> None:
    whole = {**SAMPLED, "sampled": False, "rows": 1168, "left_out": 0, "how": "all rows"}
    card = library.build("model-card", pack(facts={**FACTS, "explore.sample": whole}))
    assert figure(card, "Rows learned from").value == 1168
    assert "Rows they stand for" not in {one.label for one in figures(card)}
    titles = [one.title for one in blocks(card) if isinstance(one, Table)]
    assert "Sampled, with weights" not in titles


@pytest.mark.parametrize("kind", ["datasheet", "validation-report"])
def test_rows_left_out_of_learning_are_told_with_how(kind: str) -> None:
    told = library.build(kind, pack(facts={**FACTS, "explore.sample": SAMPLED}))
    assert figure(told, "Rows to learn from").value == 1168
    assert figure(told, "Rows left out of learning").value == 168
    assert figure(told, "How they were left out").value == "drawn at random within each class"
    whole = {**SAMPLED, "sampled": False, "left_out": 0}
    plain = library.build(kind, pack(facts={**FACTS, "explore.sample": whole}))
    assert "Rows left out of learning" not in {one.label for one in figures(plain)}


def test_a_window_is_no_sample() -> None:
    window = {
        "rows_before": 1168, "rows": 600, "left_out": 568, "sampled": False, "strata": [],
        "how": "the latest", "since": "2024-02-01T00:00:00", "weight_column": None,
    }  # fmt: skip
    card = library.build("model-card", pack(facts={**FACTS, "explore.sample": window}))
    assert figure(card, "Rows learned from").value == 600
    assert figure(card, "Older rows left out").value == 568
    assert figure(card, "Learned from").value == "2024-02-01T00:00:00"
    labels = {one.label for one in figures(card)}
    assert "Rows they stand for" not in labels
    titles = [one.title for one in blocks(card) if isinstance(one, Table)]
    assert "Sampled, with weights" not in titles


def test_what_a_brought_model_learned_from_is_not_claimed() -> None:
    admitted = {"tune.admit": {"not_computed": [{"what": "training it again"}]}}
    card = library.build("model-card", pack(facts={**FACTS, **admitted}))
    assert "Rows learned from" not in {one.label for one in figures(card)}
    assert text(card, "Trained elsewhere, on").status == "missing"  # until somebody attests it


def test_the_evaluation_is_not_taken_for_a_comparison() -> None:
    card = library.build("model-card", pack())
    metrics = next(b for b in blocks(card) if isinstance(b, Table) and "Metric" in b.columns)
    assert [cell.text for cell in metrics.rows[0]] == ["ROC AUC", "0.991", "0.985 to 0.998"]


def test_a_voice_says_where_each_figure_was_read() -> None:
    found = library.build("decision-brief", pack(), voice="BA")
    worth = figure(found, "Worth per day")
    assert worth.value == pytest.approx(96343.4)
    assert {one.path for one in worth.evidence} >= {"/items/31/"}
    spoken = [b for b in found.sections[1].blocks if isinstance(b, Text)]
    assert spoken[0].text == "Of 100 cases, 50 are flagged."
    assert all(one.evidence for one in spoken)


def test_a_place_that_led_to_nothing_is_no_evidence() -> None:
    """What was read on the way, or was overruled by a later statement, is not named."""
    facts = {
        **FACTS,
        "item.frame.brief": {"question": "Q?", "volume": "many", "kpi_now": 1.0, "kpi_name": "K"},
        "item.monitor.kpi": {"kpi_now": 2.0},
        "evaluate.slices": {"worse": 0, "overall": 1},
    }
    later = replace(pack().items[1], place="item.monitor.kpi", pk=33)
    found = library.build(
        "decision-brief", pack(facts=facts, items=(*pack().items, later)), voice="BA"
    )
    worse, kpi = figure(found, "Groups it is worse for"), figure(found, "KPI now")
    assert worse.evidence == ()  # its step is not in this pack
    assert (kpi.value, [one.path for one in kpi.evidence]) == (2.0, ["/items/31/", "/items/33/"])


def test_the_brief_has_seven_voices_and_can_have_one() -> None:
    whole = library.build("decision-brief", pack())
    assert [s.key for s in whole.sections[1:]] == [f"voice-{v.lower()}" for v in library.VOICES]
    assert len(library.VOICES) == 7
    one = library.build("decision-brief", pack(), voice="OPS")
    assert [s.key for s in one.sections] == ["standing", "voice-ops"]


def test_what_nobody_stated_is_missing_with_who_has_to() -> None:
    found = text(library.build("model-card", pack()), "Not meant for")
    assert found.status == "missing"
    assert "BA" in found.text
    stated = text(library.build("model-card", pack()), "Caveats")
    assert (stated.status, stated.text, stated.who) == (
        "attested", "Few rows.", "Kenji (MLR), 2026-01-01",
    )  # fmt: skip
    assert [one.path for one in stated.evidence] == ["/items/32/"]


def test_a_view_says_per_row_what_is_computed_attested_and_missing() -> None:
    found = views.answers(pack(), frameworks.ANNEX_IV)
    by_status = {one.text.split(":")[0]: one.status for one in found["2(g)"]}
    assert by_status == {
        "Rows judged on": "computed",
        "Target met": "computed",
        "Calibrated": "missing",
        "Check": "missing",
        "Approved by somebody else than its author": "attested",
        "Why this split (DS)": "missing",
    }
    assert [one.status for one in found["8"]] == ["missing"]


def test_a_red_check_is_computed_and_says_so() -> None:
    found = views.answers(pack(), frameworks.NIST)["MEASURE 2.11"]
    assert ("computed", "Slices hold: fail") in [(one.status, one.text) for one in found]


def test_an_approval_counts_only_where_the_gate_is_approved() -> None:
    (review,) = pack().reviews
    open_gate = pack(reviews=(replace(review, state="OPEN"),))
    (found,) = views.answers(open_gate, frameworks.NIST)["MEASURE 1.3"]
    assert found.status == "missing"


@pytest.mark.parametrize("framework", frameworks.FRAMEWORKS, ids=lambda one: one.key)
def test_frameworks_name_what_exists(framework: frameworks.Framework) -> None:
    from pipelines import catalogue

    parts = [part for row in framework.rows for part in row.parts]
    assert all(row.parts for row in framework.rows)
    assert len({row.ref for row in framework.rows}) == len(framework.rows)
    checks = {part.name for part in parts if isinstance(part, frameworks.Checked)}
    assert checks <= set(catalogue.CHECKS)
    known = {part.key for part in parts if isinstance(part, frameworks.Known)}
    assert known <= set(views.KNOWN)


def test_annex_iv_has_its_nine_points() -> None:
    points = {row.ref.split("(")[0] for row in frameworks.ANNEX_IV.rows}
    assert points == {str(number) for number in range(1, 10)}


def test_equal_records_make_an_equal_document() -> None:
    one, other = (library.build("model-card", pack()) for _ in range(2))
    assert digest_of(one.as_plain()) == digest_of(other.as_plain())
    facts = {**FACTS, "explore.split": {**FACTS["explore.split"], "rule": "forward"}}
    changed = library.build("model-card", pack(facts=facts))
    assert digest_of(changed.as_plain()) != digest_of(one.as_plain())


def test_as_data_every_block_says_what_it_is() -> None:
    found = library.build("model-card", pack()).as_json()
    kinds = {block["block"] for section in found["sections"] for block in section["blocks"]}
    assert kinds == {"figures", "text", "table"}
    assert found["counts"] == counts(library.build("model-card", pack()))


def test_the_sheet_shows_what_was_not_answered() -> None:
    sheet = library.build("hand-off-sheet", pack())
    listed = next(b for b in blocks(sheet) if isinstance(b, Table) and b.title == "Checklist")
    assert [cell.text for _, cell in listed.rows] == ["a registry", "not answered"]
    assert [cell.status for _, cell in listed.rows] == ["attested", "missing"]


def test_figures_of_two_steps_are_not_mixed_up() -> None:
    """What was read before a figure, and led to none, is not its evidence."""
    found = library.build("model-card", pack())
    for block in blocks(found):
        if isinstance(block, Figures):
            assert all(len(one.evidence) == 1 for one in block.figures)


def test_worries_that_came_true_are_told_in_each_voice_with_what_to_do() -> None:
    worried = (("W1", "Imbalance", "clear", "fine"), ("W6", "Leakage", "blocker", "'x' alone"))
    told = replace(pack(), readiness=replace(pack().readiness, worries=worried))
    brief = library.build("decision-brief", told, voice="BA")
    (found,) = [b for b in blocks(brief) if isinstance(b, Table) and "came true" in b.title]
    assert [[cell.text for cell in row][:3] for row in found.rows] == [
        ["W6 Leakage", "blocker", meaning("W6")["BA"]]
    ]
    assert meaning("W6")["OPS"] in str(library.build("decision-brief", told))
    assert not [b for b in blocks(library.build("decision-brief", pack()))
                if isinstance(b, Table) and "came true" in b.title]  # fmt: skip
    report = library.build("validation-report", told)
    (listed,) = [b for b in blocks(report) if isinstance(b, Table) and b.title == "26 worries"]
    assert [row[3].text for row in listed.rows] == ["", what_to_do("W6")]


def test_the_datasheet_says_what_was_read_through_a_connection() -> None:
    made = pack()
    facts = {"connection": "trips", "asked": "SELECT * FROM trips", "rows": 60}
    output = Output("table", "7" * 64, "parquet", 10)
    done = Done(
        "source.fetch", "Read", "source", "fetch", 2, 19, 2, 2013, (output,),
        finished_at="2026-01-01T10:00:00+00:00",
    )  # fmt: skip
    read = replace(made, facts={**made.facts, done.place: facts}, steps=(done, *made.steps))
    idle = replace(read, facts={**made.facts, done.place: {"connection": ""}})
    rows = [
        [cell.text for cell in row]
        for block in blocks(library.build("datasheet", read))
        if isinstance(block, Table) and block.title == READ
        for row in block.rows
    ]
    assert rows == [["trips", "SELECT * FROM trips", "2026-01-01 10:00:00", "60", "7" * 16]]
    for other in (made, idle):
        assert READ not in [
            getattr(b, "title", "") for b in blocks(library.build("datasheet", other))
        ]
