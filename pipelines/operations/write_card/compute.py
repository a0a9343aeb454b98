"""Assemble the model card out of the release's artefacts and people's statements."""

from pipelines.operations.contract import Context, Json, OperationError, Outcome
from pipelines.operations.packages import archive
from pipelines.operations.packages.archive import PackageError
from pipelines.operations.tables import read_document, write_document
from pipelines.operations.write_card.sections import Field, Sources, fields


def run(context: Context) -> Outcome:
    """Card and document; `missing` names the fields that nobody filled in."""
    sources = _sources(context)
    found = fields(context, sources)
    missing: list[Json] = [field.key for field in found if not field.text.strip()]
    title = context.text("title") or str(sources.manifest.get("target", "model"))
    licence = _licence(context, sources)
    document: dict[str, Json] = {
        "format": "baton/card/1",
        "title": title,
        "licence": licence,
        "fields": [field.as_json() for field in found],
        "missing": missing,
    }
    outputs = {
        "card": write_document(context.output("card"), document),
        "document": context.output("document"),
    }
    outputs["document"].write_text(_markdown(title, found), "utf-8")
    facts: dict[str, Json] = {
        "filled": len(found) - len(missing),
        "fields": len(found),
        "missing": missing,
        "licence": licence,
        "title": title,
        "stated": [field.key for field in found if field.source == "stated"],
    }
    context.progress(1.0, f"{len(found) - len(missing)} of {len(found)} fields")
    return Outcome(outputs, facts)


def _sources(context: Context) -> Sources:
    try:
        manifest, entries = archive.read_archive(context.inputs["package"].read_bytes())
    except PackageError as problem:
        raise OperationError(
            "package_not_read", f"the package cannot be read: {problem}",
            field="package", value=problem.code, rule="is a serving package",
        ) from problem  # fmt: skip
    ports = ("evaluation", "slices", "explanation", "contract", "retrain")
    read = {p: read_document(context.inputs[p]) for p in ports if p in context.inputs}
    return Sources(
        manifest=manifest,
        environment=archive.load(entries, archive.ENVIRONMENT),
        signature=archive.load(entries, archive.SIGNATURE),
        documents=read,
    )


def _licence(context: Context, sources: Sources) -> str:
    stated = context.mapping("statements").get("licence") or sources.manifest.get("licence")
    return str(stated or "").strip()


def _markdown(title: str, found: list[Field]) -> str:
    parts = [f"# Model card: {title}"]
    section = ""
    for field in found:
        if field.section != section:
            section = field.section
            parts.append(f"## {section}")
        body = field.text.strip() or "*Not filled in.*"
        parts.append(f"### {field.title}\n\n{body}\n\n*Source: {field.source}.*")
    return "\n\n".join(parts) + "\n"
