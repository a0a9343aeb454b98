"""The model card, after Mitchell et al. 2019: nine sections, computed or stated."""

from collections.abc import Mapping
from typing import Any

from pipelines.documents.classes import class_tables
from pipelines.documents.numbers import number_tables
from pipelines.documents.pack import Pack
from pipelines.documents.tree import Block, Cell, Document, Evidence, Figure, Section, table
from pipelines.documents.wording import said
from pipelines.documents.writer import GROUPS, Writer, section

ABOUT = (
    "What the model is, whom it is meant for, how good it is and where not to use it. The sections "
    "follow Mitchell et al., Model Cards for Model Reporting (2019)."
)

STRATA = {
    "class": "Class",
    "rows": "Rows learned from",
    "rows_before": "Of",
    "weight": "Weight of a row",
}


def build(pack: Pack) -> Document:
    """Return the model card of the run's model."""
    writer = Writer(pack)
    sections = [
        _details(writer),
        section(
            "use",
            "Intended use",
            writer.stated("question", "Question", "BA"),
            writer.stated("acts", "Who acts on it, and how", "BA"),
            writer.stated("intended_use", "Meant for", "BA"),
            writer.stated("out_of_scope", "Not meant for", "BA"),
            writer.stated("fallback", "When it cannot answer", "BA"),
        ),
        section(
            "factors", "Factors", writer.stated("factors", "Who may be treated otherwise", "DS")
        ),
        _metrics(writer),
        _evaluation_data(writer),
        _training_data(writer),
        _analyses(writer),
        section(
            "ethics", "Ethical considerations", writer.stated("ethics", "Considered", "BA and DS")
        ),
        section(
            "caveats",
            "Caveats and recommendations",
            writer.stated("caveats", "Caveats", "MLR"),
            writer.stated("understood", "The deciders understood it", "BA"),
        ),
    ]
    return writer.document("model-card", "Model card", ABOUT, sections)


def _details(writer: Writer) -> Section:
    judged, packed = writer.evaluated(), writer.saying("entries", "environment")
    again = writer.saying("predictions_equal")
    blocks: list[Block] = writer.figures(
        writer.figure(judged, "Predicts", "target"),
        writer.figure(judged, "Family", "family"),
        writer.figure(packed, "Inputs", "inputs"),
        writer.figure(packed, "Package", "digest", unit="digest", note="SHA-256"),
        writer.figure(packed, "Licence", "licence"),
        writer.figure(again, "Trained again, scores equal", "predictions_equal"),
        writer.figure(again, "Largest difference when trained again", "largest_difference"),
    )
    blocks += _chosen(writer)
    blocks += _versions(writer)
    blocks += _environment(writer, packed)
    blocks.append(writer.stated("contact", "Who to ask", "DE"))
    return section("details", "Model details", blocks)


def _chosen(writer: Writer) -> list[Block]:
    found = writer.saying("chosen_family", "chosen_settings").get("chosen_settings")
    if not isinstance(found, Mapping) or not found:
        return []
    return [writer.computed(said(found), "Settings")]


def _versions(writer: Writer) -> list[Block]:
    rows = [
        [
            Cell(f"{one.name} v{one.number}", evidence=_model(one.name, one.package)),
            Cell(one.state.lower()),
            Cell("; ".join(f"{mode} from {start}" for mode, start, _ in one.deployments)),
        ]
        for one in writer.pack.releases
    ]
    return [table(("Version", "State", "Deployed"), rows)] if rows else []


def _model(name: str, package: str) -> tuple[Evidence, ...]:
    return (Evidence("model", name, f"/models/{name}/", package),)


def _environment(writer: Writer, packed: Mapping[str, Any]) -> list[Block]:
    writer.trace.take()
    found = packed.get("environment") or {}
    versions = found.get("packages") if isinstance(found, Mapping) else None
    if not isinstance(versions, Mapping):
        return []
    listed = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    return [writer.computed(f"Python {found.get('python')}; {listed}", "Environment")]


def _metrics(writer: Writer) -> Section:
    judged = writer.evaluated()
    how = judged.get("interval") if judged else None
    lead = ""
    if isinstance(how, Mapping) and how.get("samples"):
        lead = f"Intervals: bootstrap over {how.get('unit')}s, {how['samples']} samples."
        if how.get("days"):
            lead += f" A block is {how['days']:g} days long."
        if how.get("wanted_days"):
            lead += f" Forecasts reach {how['wanted_days']:g} days: intervals may be too narrow."
    sentences = judged.get("sentences") if judged else None
    text = " ".join(map(str, sentences)) if isinstance(sentences, list) else ""
    blocks: list[Block] = list(writer.metrics())
    blocks += class_tables(writer)
    judged = writer.evaluated()
    blocks += writer.figures(
        writer.figure(judged, "Threshold", "threshold", note=said(judged.get("threshold_method"))),
        writer.figure(judged, "Calibration error", "calibration", "error"),
        writer.figure(judged, "Metric against its target", "target_metric", "value"),
        writer.figure(judged, "Target", "target_metric", "wanted"),
    )
    if text:
        writer.evaluated().get("sentences")
        blocks.append(writer.computed(text, "In whole rows"))
    if not blocks:
        blocks.append(writer.computed("", "Metrics"))
    return section("metrics", "Metrics", blocks, lead=lead)


def _evaluation_data(writer: Writer) -> Section:
    judged, split = writer.evaluated(), writer.saying("parts", "rule")
    blocks = writer.figures(
        writer.figure(judged, "Rows judged on", "rows"),
        writer.figure(judged, "Positive rows", "positives"),
        writer.figure(judged, "Positive share", "positive_share", unit="share"),
        writer.figure(split, "Split by", "rule"),
        writer.figure(split, "Rows on both sides", "overlap_rows"),
        writer.figure(split, "Split again gives the same", "reproducible"),
    )
    blocks.append(writer.stated("split_reason", "Why this split", "DS"))
    return section("evaluation-data", "Evaluation data", blocks)


def _training_data(writer: Writer) -> Section:
    split, built = writer.saying("parts", "rule"), writer.saying("columns_used")
    sealed = writer.saying("schema_digest", "datasheet")
    elsewhere = bool(writer.saying("not_computed"))
    blocks = writer.figures(
        *(() if elsewhere else _learned(writer, split)),
        writer.figure(built, "Columns used", "columns_used"),
        writer.figure(built, "Feature tests run", "tests_run"),
        writer.figure(built, "Feature tests failed", "tests_failed"),
        writer.figure(sealed, "Data contract", "digest", unit="digest", note="SHA-256"),
    )
    if not elsewhere:
        blocks += writer.listed(writer.fewer(), "strata", STRATA, title="Sampled, with weights")
    if elsewhere:
        blocks += [
            writer.stated("trained_on", "Trained elsewhere, on", "MLR"),
            writer.stated("trained_with", "Trained with", "MLR"),
            writer.stated("unseen", "Of the rows it is judged on, it saw", "MLR"),
            writer.stated("again", "How it can be trained again", "MLR"),
        ]
    blocks += [
        writer.stated("origin", "Origin", "DE"),
        writer.stated("rights", "Rights", "DE"),
        writer.stated("gaps", "Known gaps", "DE"),
    ]
    return section("training-data", "Training data", blocks)


def _learned(writer: Writer, split: Mapping[str, Any]) -> tuple[Figure | None, ...]:
    """How many rows the model learned from; of a sample also how many those stand for."""
    fewer = writer.fewer()
    if not fewer:
        return (writer.figure(split, "Rows learned from", "parts", "train", "rows"),)
    if not fewer.get("sampled"):
        return (
            writer.figure(fewer, "Rows learned from", "rows", note="the latest"),
            writer.figure(fewer, "Older rows left out", "left_out"),
            writer.figure(fewer, "Learned from", "since", note="and later"),
        )
    return (
        writer.figure(fewer, "Rows learned from", "rows", note="a sample with weights"),
        writer.figure(fewer, "Rows they stand for", "rows_before"),
    )


def _analyses(writer: Writer) -> Section:
    sliced, explained = writer.saying("slices", "worse"), writer.saying("importance")
    blocks: list[Block] = writer.figures(
        writer.figure(sliced, "Groups looked at", "looked_at"),
        writer.figure(sliced, "Groups it is worse for", "worse"),
        writer.figure(sliced, "Groups too small to judge", "too_small"),
    )
    blocks += writer.listed(sliced, "slices", GROUPS, title="Quality by group")
    columns = {"column": "Column", "value": "Loss when shuffled", "low": "95 %"}
    blocks += writer.listed(explained, "importance", columns, title="What it goes by")
    blocks += number_tables(writer)
    if not blocks:
        blocks = [writer.computed("", "Groups and explanations")]
    return section("analyses", "Quantitative analyses", blocks)
