"""The batch product: one zip that says what it is, and a card for people."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from pipelines.operations.clusters.package import FORMAT
from pipelines.operations.contract import Context, Json, Outcome
from pipelines.operations.packages import environment
from pipelines.operations.packages.archive import EPOCH, MANIFEST, dump
from pipelines.operations.tables import read_document, write_document

STATED = ("intended_use", "out_of_scope", "caveats", "ethics", "contact")


def run(context: Context) -> Outcome:
    """Write package and card; raises OperationError for an unreadable document."""
    facts = _facts_of(read_document(context.inputs["evaluation"]))
    card = write_card(context, facts)
    document = context.output("document")
    document.write_text(markdown(card), encoding="utf-8")
    entries = {
        "model.skops": context.inputs["candidate"].read_bytes(),
        "assignments.parquet": context.inputs["assignments"].read_bytes(),
        "profile.json": context.inputs["profile"].read_bytes(),
        "evaluation.json": context.inputs["evaluation"].read_bytes(),
        "card.json": dump(card),
        "card.md": document.read_bytes(),
        "environment.json": dump(environment.describe()),
    }
    package = context.output("package")
    digests = write_zip(package, entries, {"kind": "segments", "licence": context.text("licence")})
    told: dict[str, Json] = {
        "entries": list[Json](sorted([*entries, MANIFEST])),
        "bytes": sum(len(data) for data in entries.values()),
        "manifest": digests,
        "digest": hashlib.sha256(package.read_bytes()).hexdigest(),
        "family": facts.get("family"),
        "groups": facts.get("groups"),
        "columns": facts.get("columns"),
        "licence": context.text("licence"),
        "fields": len(card),
        "missing": [name for name, value in card.items() if value in ("", None, [], {})],
        "environment": environment.describe(),
        "deviations": environment.describe()["deviations"],
    }
    context.progress(1.0, "packed")
    written = write_document(context.output("card"), card)
    return Outcome({"package": package, "card": written, "document": document}, told)


def _facts_of(evaluation: Mapping[str, Json]) -> dict[str, Json]:
    facts = evaluation.get("facts")
    return facts if isinstance(facts, dict) else {}


def write_card(context: Context, facts: Mapping[str, Json]) -> dict[str, Json]:
    """What was computed and what people state, field by field."""
    names, said = context.mapping("names"), context.mapping("statements")
    segments: list[Json] = [
        {**one, "called": names.get(str(one.get("name"))) or one.get("name")}
        for one in _rows(facts.get("segments"))
    ]
    return {
        "title": context.text("title") or "Segments",
        "question": context.text("question"),
        "acts": context.text("acts"),
        "method": facts.get("family"),
        "columns": facts.get("columns"),
        "rows": facts.get("rows"),
        "stability": facts.get("stability"),
        "silhouette": facts.get("silhouette"),
        "chance": facts.get("chance"),
        "unsure_share": facts.get("unsure_share"),
        "other_rows": facts.get("holdout"),
        "segments": segments,
        "licence": context.text("licence"),
        **{name: said.get(name, "") for name in STATED},
    }


def markdown(card: Mapping[str, Json]) -> str:
    """The card for reading."""
    held = card["stability"] if isinstance(card["stability"], dict) else {}
    segments = _rows(card["segments"])
    stated = [f"- {name.replace('_', ' ')}: {card[name]}" for name in (*STATED, "licence")]
    lines = [
        f"# {card['title']}",
        f"\n{card['question']}\n",
        "## Segments\n",
        *(f"- **{one['called']}** ({one['name']}): {one['sentence']}" for one in segments),
        "\n## How it was made\n",
        f"Method: {card['method']}, on {card['rows']} rows.",
        f"Stability, the mean adjusted Rand of {held.get('resamples')} resamples:",
        f"{held.get('value')}. Mean silhouette: {card['silhouette']}.",
        f"Share of rows whose membership is unsure: {card['unsure_share']}.",
        "\n## What people state\n",
        *stated,
    ]
    return "\n".join(lines) + "\n"


def _rows(value: Json) -> list[dict[str, Json]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def write_zip(
    path: Path, entries: Mapping[str, bytes], manifest: Mapping[str, Json]
) -> dict[str, Json]:
    """Equal bytes for equal content; returns the digests that the manifest states."""
    digests: dict[str, Json] = {
        name: hashlib.sha256(data).hexdigest() for name, data in sorted(entries.items())
    }
    said = json.dumps({**manifest, "format": FORMAT, "digests": digests}, sort_keys=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in sorted({**entries, MANIFEST: said.encode()}.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr, entry.create_system = 0o644 << 16, 3
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=6)
    return digests
