"""The datasheet of the data, after Gebru et al. 2021: seven parts, computed or stated."""

from collections.abc import Mapping

from pipelines.documents.pack import Pack, artefact_evidence
from pipelines.documents.tree import Block, Cell, Document, Figure, Section, table
from pipelines.documents.wording import said, size
from pipelines.documents.writer import Writer, section

ABOUT = (
    "Where the data come from, what is in them, what was done to them and what they may be used "
    "for. The sections follow Gebru et al., Datasheets for Datasets (2021)."
)
FETCH = "fetch"
PREPARED = ("table", "contract", "train", "holdout", "features")


def build(pack: Pack) -> Document:
    """Return the datasheet of the run's data."""
    writer = Writer(pack)
    sections = [
        section(
            "motivation",
            "Motivation",
            writer.stated("question", "The question they answer", "BA"),
            writer.stated("data_needed", "What is needed", "BA"),
        ),
        _composition(writer),
        section(
            "collection",
            "Collection",
            writer.stated("origin", "Origin", "DE"),
            *_fetched(writer),
            _brought(writer),
            writer.stated("gaps", "Known gaps", "DE"),
            writer.stated("null_meaning", "What a missing value means", "DE"),
        ),
        _preprocessing(writer),
        section(
            "uses",
            "Uses",
            writer.stated("rights", "What they may be used for", "DE"),
            writer.stated("out_of_scope", "What they should not be used for", "BA"),
            writer.stated("represented", "Who or what is under-represented", "DS"),
        ),
        _privacy(writer),
        section(
            "maintenance",
            "Distribution and maintenance",
            writer.stated("refresh", "How often they are renewed", "DE"),
            writer.stated("retention", "How long they may be kept", "DE"),
            writer.stated("contact", "Who to ask", "DE"),
        ),
    ]
    return writer.document("datasheet", "Datasheet of the data", ABOUT, sections)


def _composition(writer: Writer) -> Section:
    read, held = writer.saying("column_names"), writer.saying("violations", "blocking")
    profiled = writer.saying("duplicate_rows", "constant_columns")
    blocks: list[Block] = writer.figures(
        writer.figure(read, "Rows", "rows"),
        writer.figure(read, "Columns", "columns"),
        writer.figure(profiled, "Duplicate rows", "duplicate_rows"),
        writer.figure(read, "Rows without a label, left out", "dropped_rows"),
        writer.figure(held, "Rules broken that block", "blocking"),
        writer.figure(held, "Rows that break a warning rule", "rows_warning_share", unit="share"),
        writer.figure(held, "Newest row", "freshness", "newest"),
    )
    blocks += _classes(writer)
    blocks += _columns(writer)
    if not blocks:
        blocks = [writer.computed("", "Composition")]
    return section("composition", "Composition", blocks)


def _classes(writer: Writer) -> list[Block]:
    labels = writer.saying("violations", "labels").get("labels")
    classes = labels.get("classes") if isinstance(labels, Mapping) else None
    if not isinstance(classes, Mapping) or not classes:
        return []
    evidence = writer.evidence()
    rows = [
        [Cell(str(name), status="computed"), Cell(said(count), numeric=True)]
        for name, count in classes.items()
    ]
    return [table(("Class", "Rows"), rows, title="Labels", evidence=evidence)]


def _columns(writer: Writer) -> list[Block]:
    proposed = writer.saying("schema_digest", "roles")
    columns = {"name": "Column", "type": "Type", "role": "Role"}
    return writer.listed(proposed, "columns", columns, title="Columns")


def _brought(writer: Writer) -> list[Block]:
    rows = [
        [
            Cell(
                output.name, status="computed", evidence=(artefact_evidence(output.name, output),)
            ),
            Cell(output.media),
            Cell(output.digest[:16]),
            Cell(size(output.size), numeric=True),
        ]
        for _, output in writer.pack.inputs
    ]
    return [table(("File", "Format", "Digest", "Size"), rows, title="Brought")] if rows else []


def _fetched(writer: Writer) -> list[Block]:
    """What was read through a connection, when, and the digest of what was there."""
    made: list[Block] = []
    for step in writer.pack.steps:
        facts = writer.pack.facts.get(step.place, {})
        if step.operation != FETCH or not facts.get("connection"):
            continue
        for output in step.outputs:
            row = [
                Cell(
                    said(facts["connection"]),
                    status="computed",
                    evidence=(artefact_evidence(output.name, output),),
                ),
                Cell(said(facts.get("asked", ""))),
                Cell(step.finished_at[:19].replace("T", " ")),
                Cell(said(facts.get("rows")), numeric=True),
                Cell(output.digest[:16]),
            ]
            columns = ("Connection", "Asked", "Read at (UTC)", "Rows", "Digest")
            made.append(table(columns, [row], title="Read through a connection"))
    return made


def _preprocessing(writer: Writer) -> Section:
    read, built = writer.saying("column_names"), writer.saying("columns_used")
    blocks: list[Block] = writer.figures(
        writer.figure(read, "Target", "target", "name"),
        writer.figure(built, "Columns used", "columns_used"),
        writer.figure(built, "Numbers made of them", "numbers_made"),
    )
    blocks += writer.left_out()
    joins = writer.saying("column_names").get("joins")
    if isinstance(joins, list) and joins:
        rows = "; ".join(said(one) for one in joins)
        blocks.append(writer.computed(rows, "Joins"))
    columns = {"column": "Column", "role": "Role", "transformer": "Becomes", "distinct": "Values"}
    blocks += writer.listed(built, "columns", columns, title="What each column becomes")
    worried = writer.saying("worries", "findings")
    columns = {"worry": "Worry", "title": "What", "level": "Level", "message": "Found"}
    blocks += writer.listed(worried, "findings", columns, title="Worries found")
    blocks += writer.made(PREPARED)
    return section("preprocessing", "Preprocessing, cleaning, labelling", blocks)


def _privacy(writer: Writer) -> Section:
    sealed = writer.saying("pii_unresolved")
    found = sealed.get("pii") if sealed else None
    blocks: list[Block] = []
    if isinstance(found, list):
        named = ", ".join(said(one) for one in found) or "no column was found or declared"
        blocks.append(writer.computed(f"Personal data: {named}.", "Personal data"))
        blocks += writer.figures(
            _count(writer, "pii_unresolved", "Columns with personal data, unresolved"),
            _count(writer, "undeclared", "Columns nobody has declared"),
        )
    else:
        blocks.append(writer.computed("", "Personal data"))
    return section("privacy", "Privacy", blocks)


def _count(writer: Writer, key: str, label: str) -> Figure | None:
    found = writer.saying("pii_unresolved").get(key)
    if not isinstance(found, list):
        return None
    return Figure(label, len(found), evidence=writer.evidence())
