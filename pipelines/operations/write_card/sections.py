"""The fields of the card: nine sections, each field computed or stated."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipelines.operations.contract import Context, Json
from pipelines.operations.write_card import several

Document = Mapping[str, Json]
BROUGHT = "brought in"  # the family of a model that was trained elsewhere


@dataclass(frozen=True)
class Field:
    """One field: where it stands, its text in Markdown, and whether it was computed or stated."""

    section: str
    key: str
    title: str
    text: str
    source: str

    def as_json(self) -> dict[str, Json]:
        """The field as plain data."""
        return dict(asdict(self))


@dataclass(frozen=True)
class Sources:
    """What the card is computed from."""

    manifest: Document
    environment: Document
    signature: Document
    documents: Mapping[str, Document]

    def facts(self) -> Document:
        """The facts of the evaluation."""
        found = self.documents.get("evaluation", {}).get("facts")
        return found if isinstance(found, dict) else {}


def fields(context: Context, sources: Sources) -> list[Field]:
    """All fields in reading order; an empty text means that nobody has filled it in."""
    stated = context.mapping("statements")

    def said(key: str, default: str = "") -> str:
        return str(stated.get(key) or default)

    computed, person = "computed", "stated"
    meant = said("intended_use", context.text("acts"))
    rows = [
        ("Model details", "details", "The model", _details(sources), computed),
        ("Model details", "inputs", "What it reads", _inputs(sources), computed),
        ("Model details", "contact", "Who to ask", said("contact"), person),
        ("Intended use", "question", "Question", context.text("question"), person),
        ("Intended use", "intended_use", "Meant for", meant, person),
        ("Intended use", "out_of_scope", "Not meant for", said("out_of_scope"), person),
        ("Intended use", "fallback", "When it cannot answer", context.text("fallback"), person),
        ("Factors", "factors", "Who or what may be treated differently", said("factors"), person),
        ("Metrics", "metrics", "Scores with 95 % intervals", _metrics(sources), computed),
        ("Metrics", *_decides(sources), computed),
        ("Evaluation data", "evaluation_data", "Judged on", _judged_on(sources), computed),
        ("Training data", "training_data", "Learned from", _learned_from(sources), computed),
        ("Quantitative analyses", "slices", "Quality by slice", _slices(sources), computed),
        ("Quantitative analyses", "importance", "What it goes by", _importance(sources), computed),
        ("Ethical considerations", "ethics", "Considered", said("ethics"), person),
        ("Caveats and recommendations", "caveats", "Caveats", said("caveats"), person),
        ("Caveats and recommendations", "reproduced", "Trained again", _again(sources), computed),
    ]
    return [Field(*row) for row in rows]


def _details(sources: Sources) -> str:
    packages = sources.environment.get("packages")
    versions = packages if isinstance(packages, dict) else {}
    listed = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    manifest = sources.manifest
    return (
        f"A {manifest.get('family')} model that predicts {manifest.get('target')}. "
        f"Python {sources.environment.get('python')}, {listed}. "
        f"Lock file {str(sources.environment.get('lock_sha256'))[:12]}."
    )


def _inputs(sources: Sources) -> str:
    inputs = sources.signature.get("inputs")
    rows = [row for row in inputs if isinstance(row, dict)] if isinstance(inputs, list) else []
    lines = [
        f"- {row.get('name')}: {row.get('type')}{'' if row.get('nullable') else ', required'}"
        for row in rows
    ]
    return "\n".join(lines)


def _metrics(sources: Sources) -> str:
    metrics = sources.facts().get("metrics")
    if not isinstance(metrics, dict):
        return ""
    lines = ["| Metric | Value | 95 % interval |", "|---|---|---|"]
    for name, found in metrics.items():
        if isinstance(found, dict):
            low, high = _shown(found.get("low")), _shown(found.get("high"))
            lines.append(f"| {name} | {_shown(found.get('value'))} | {low} to {high} |")
    return "\n".join(lines)


def _shown(value: Json) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "undefined"


def _decides(sources: Sources) -> tuple[str, str, str]:
    """Key, title and text of how a score becomes an answer."""
    if sources.manifest.get("kind") == "regression":
        return "interval", "Interval and its coverage", _interval(sources)
    if sources.manifest.get("kind") == "multiclass":
        return "decision", "Classes and how one is answered", several.decision(sources)
    return "threshold", "Threshold and its price", _threshold(sources)


def _said(sources: Sources) -> str:
    sentences = sources.facts().get("sentences")
    return " ".join(map(str, sentences)) if isinstance(sentences, list) else ""


def _interval(sources: Sources) -> str:
    found = sources.facts().get("prediction_interval")
    if not isinstance(found, dict):
        return f"No interval: too few rows to set one. {_said(sources)}"
    return (
        f"{_said(sources)} It held {_percent(found.get('coverage'))} of"
        f" {found.get('checked_rows')} later rows that had not set it; promised:"
        f" {_percent(found.get('level'))}."
    )


def _percent(value: Json) -> str:
    return f"{value:.1%}" if isinstance(value, int | float) else "undefined"


def _threshold(sources: Sources) -> str:
    facts, said = sources.facts(), _said(sources)
    threshold = _shown(sources.manifest.get("threshold"))
    return f"Flags from a score of {threshold}, chosen by {facts.get('threshold_method')}. {said}"


def _judged_on(sources: Sources) -> str:
    facts = sources.facts()
    rows, positives = facts.get("rows"), facts.get("positives")
    if not isinstance(rows, int):
        return ""
    if not isinstance(positives, int):
        return f"{rows:,} rows that training never saw.{several.counts(facts)}"
    return f"{rows:,} rows that training never saw, {positives:,} of them {facts.get('positive')}."


def _learned_from(sources: Sources) -> str:
    contract = sources.documents.get("contract", {})
    rows = contract.get("rows")
    if sources.manifest.get("family") == BROUGHT:
        return "It was trained elsewhere; what it learned from is attested, not computed."
    if not isinstance(rows, int):
        return ""
    sheet = contract.get("datasheet")
    stated = {**contract, **(sheet if isinstance(sheet, dict) else {})}
    known = [key for key in ("origin", "rights", "gaps", "retention") if stated.get(key)]
    said = [f"{key.capitalize()}: {str(stated[key]).rstrip('.')}." for key in known]
    return " ".join([f"Out of {rows:,} rows under the data contract.", *said])


def _slices(sources: Sources) -> str:
    document = sources.documents.get("slices", {})
    slices = document.get("slices")
    rows = [row for row in slices if isinstance(row, dict)] if isinstance(slices, list) else []
    if not rows:
        return ""
    worse = [row for row in rows if row.get("verdict") == "worse"]
    lines = [
        f"{len(rows)} slices by {document.get('metric')}; {len(worse)} are worse than all rows."
    ]
    lines += [
        f"- {row.get('slice')}: {_shown(row.get('value'))} on {row.get('rows')} rows"
        for row in worse[:10]
    ]
    return "\n".join(lines)


def _importance(sources: Sources) -> str:
    importance = sources.documents.get("explanation", {}).get("importance")
    rows = [r for r in importance if isinstance(r, dict)] if isinstance(importance, list) else []
    lines = [f"- {row.get('column')}: {_shown(row.get('value'))}" for row in rows[:10]]
    return "\n".join(["Loss of the score when a column is shuffled:", *lines]) if rows else ""


def _again(sources: Sources) -> str:
    report = sources.documents.get("retrain")
    if report is None:
        return ""
    if report.get("recipe") is False:
        return "It was trained elsewhere: without its recipe it could not be trained again."
    equal = "the same scores, bit for bit" if report.get("predictions_equal") else "other scores"
    return f"Training it again in a clean process gave {equal}."
