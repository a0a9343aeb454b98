"""Declarations of people joined into the proposed data contract. No numeric library."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pipelines.operations.contract import Context, Json, OperationError, Outcome

DATASHEET = ("origin", "rights", "refresh", "retention", "contact", "gaps", "null_meaning")
TREATMENTS = ("drop", "hash", "keep")


def run(context: Context) -> Outcome:
    """Seal the contract; raises OperationError naming every declaration that does not fit."""
    contract = json.loads(context.inputs["contract"].read_text(encoding="utf-8"))
    columns = {str(entry["name"]): dict(entry) for entry in contract["columns"]}
    declared = parse_declarations(context.mapping("declarations"), columns)
    default = context.text("default_available")
    for name, entry in columns.items():
        found = declared.get(name, {})
        entry.update(found)
        entry["declared"] = name in declared
        # a target is by nature known only later
        known = "after" if entry.get("role") == "target" else default
        entry.setdefault("available", known or None)
        entry.setdefault("pii", None if entry.get("pii_suspect") else False)
    sealed: dict[str, Json] = {
        **contract,
        "sealed": True,
        "columns": list(columns.values()),
        "datasheet": {field: context.text(field) for field in DATASHEET},
        "max_age_days": context.params.get("max_age_days"),
    }
    for field in ("key_column", "time_column"):
        sealed[field] = _named(context, field, columns) or contract.get(field)
    path = context.output("contract")
    digest = _write(path, sealed)
    context.progress(1.0, "data contract sealed")
    return Outcome(outputs={"contract": path}, facts=_facts(sealed, columns, digest))


def parse_declarations(
    given: Mapping[str, Json], columns: Mapping[str, Mapping[str, Json]]
) -> dict[str, dict[str, Json]]:
    """Declarations by column; raises OperationError with all that do not fit."""
    problems: list[dict[str, Json]] = []
    declared: dict[str, dict[str, Json]] = {}
    for name, value in given.items():
        entry: Json = {"available": value} if isinstance(value, str) else value
        if name not in columns:
            problems.append(_problem(name, value, "names a column of the contract"))
        elif not isinstance(entry, dict):
            problems.append(_problem(name, value, "is before, after or a map"))
        else:
            found = _entry_problems(name, entry)
            problems += found
            if not found:
                declared[name] = entry
    if problems:
        text = "; ".join(str(problem["message"]) for problem in problems)
        raise OperationError(
            "bad_declaration",
            text,
            field="declarations",
            value=problems[0]["value"],
            rule=str(problems[0]["rule"]),
            details=problems,
        )
    return declared


def _entry_problems(name: str, entry: Mapping[str, Json]) -> list[dict[str, Json]]:
    found = []
    if entry.get("available") not in (None, "before", "after"):
        found.append(_problem(name, entry["available"], "available is before or after"))
    if entry.get("pii") not in (None, True, False):
        found.append(_problem(name, entry["pii"], "pii is true or false"))
    if entry.get("treatment") not in (None, "", *TREATMENTS):
        found.append(_problem(name, entry["treatment"], "treatment is drop, hash or keep"))
    return found


def _problem(column: str, value: Json, rule: str) -> dict[str, Json]:
    message = f"declaration of {column!r}: {value!r}; rule: {rule}"
    return {"column": column, "row": None, "value": value, "rule": rule, "message": message}


def _named(context: Context, field: str, columns: Mapping[str, object]) -> str:
    name = context.text(field)
    if name and name not in columns:
        raise OperationError(
            "unknown_column",
            f"{field} names {name!r}, which the contract does not have",
            field=field,
            value=name,
            rule="names a column of the contract",
        )
    return name


def is_unresolved(entry: Mapping[str, Json]) -> bool:
    """Suspected or declared personal data without a decision what to do with them."""
    if entry.get("pii") is None:
        return bool(entry.get("pii_suspect"))
    if entry["pii"] is False:
        return False
    treatment = entry.get("treatment")
    return treatment not in TREATMENTS or (treatment == "keep" and not entry.get("reason"))


def _write(path: Path, sealed: Mapping[str, Json]) -> str:
    text = json.dumps(sealed, sort_keys=True, allow_nan=False, ensure_ascii=False, indent=1)
    path.write_text(text, encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()


def _facts(
    sealed: Mapping[str, Json], columns: Mapping[str, Mapping[str, Json]], digest: str
) -> dict[str, Json]:
    def where(key: str, value: Json) -> list[Json]:
        return [name for name, entry in columns.items() if entry.get(key) == value]

    datasheet = sealed["datasheet"]
    sheet = datasheet if isinstance(datasheet, dict) else {}
    return {
        "sealed": True,
        "digest": digest,
        "column_count": len(columns),
        "unavailable": where("available", "after"),
        "available": where("available", "before"),
        "undeclared": where("available", None),
        "pii": where("pii", True),
        "pii_unresolved": [
            {"column": name, "reason": entry.get("pii_suspect") or "declared, without treatment"}
            for name, entry in columns.items()
            if is_unresolved(entry)
        ],
        "datasheet": {field: bool(value) for field, value in sheet.items()},
        "datasheet_missing": [field for field, value in sheet.items() if not value],
        "schema_digest": sealed.get("schema_digest"),
        "target": sealed.get("target"),
        "time_column": sealed["time_column"],
        "key_column": sealed["key_column"],
        "max_age_days": sealed["max_age_days"],
    }
