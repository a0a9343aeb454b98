"""Take in outcomes that come late."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from personas.commands import Answer, Command, execute
from personas.errors import Invalid
from personas.ledger import Actor
from pipelines.operations.windows import text_of
from pipelines.registry.models import Model
from pipelines.serving import policies
from pipelines.serving.models import Label

MAX_LABELS = 10_000  # per call
MAX_KEY = 120
MAX_PROBLEMS = 50
SHOWN = 50
FIELDS = frozenset({"key", "value", "observed_at"})


def take_labels(
    *,
    actor: Actor,
    model: Model,
    labels: Sequence[Mapping[str, Any]],
    key: str | None = None,
) -> Answer:
    """Record outcomes by row key; what is known already is counted, not written again.

    An outcome that differs from the one on record is reported as a contradiction and not
    taken. Raises NotAllowed, Invalid with every problem by position.
    """
    cleaned = _clean(labels)

    def body(command: Command, locked: Model) -> dict[str, object]:
        if actor.user is not None:
            refusal = policies.not_labelling(actor.user, locked)
            if refusal is not None:
                raise refusal
        return _take(command, locked, cleaned)

    return execute(
        actor=actor,
        name="take_labels",
        # Labels of one model may come in side by side: the unique key decides, not a lock.
        lock=lambda: model,
        body=body,
        key=key,
        request={"model": model.pk, "labels": list(labels)},
    )


def _take(command: Command, model: Model, cleaned: Sequence[Label]) -> dict[str, object]:
    for label in cleaned:
        label.model = model
        label.received_at = command.now
        label.received_from = command.actor.user
    Label.objects.bulk_create(cleaned, ignore_conflicts=True, batch_size=1000)
    keys = [label.key for label in cleaned]
    stored = {label.key: label for label in Label.objects.filter(model=model, key__in=keys)}
    contradictions = [
        {"key": label.key, "on_record": stored[label.key].value, "given": label.value}
        for label in cleaned
        if stored[label.key].value != label.value
    ]
    taken = sum(1 for label in stored.values() if label.received_at == command.now)
    if taken or contradictions:
        command.recorder.record(
            model.stream,
            "labels.taken",
            subject=("model", model.pk),
            data={"taken": taken, "contradictions": contradictions[:SHOWN]},
            topic="labels.taken",
        )
    return {
        "model": model.name,
        "given": len(cleaned),
        "taken": taken,
        "known": len(cleaned) - taken - len(contradictions),
        "contradictions": contradictions[:SHOWN],
        "contradiction_count": len(contradictions),
    }


def _clean(labels: Sequence[Mapping[str, Any]]) -> list[Label]:
    """Unsaved rows; raises Invalid with the problems of every label."""
    problems: dict[str, list[str]] = {}
    if not 0 < len(labels) <= MAX_LABELS:
        problems["labels"] = [f"must be 1 to {MAX_LABELS:,} labels, got {len(labels):,}"]
    cleaned: list[Label] = []
    seen: dict[str, str] = {}
    for index, given in enumerate(labels[:MAX_LABELS]):
        if len(problems) >= MAX_PROBLEMS:
            break
        found = _problems(given) if isinstance(given, Mapping) else {"": ["must be an object"]}
        if not found:
            label = Label(
                key=str(given["key"]),
                value=text_of(given["value"]),
                observed_at=_time(given.get("observed_at")),
            )
            if seen.setdefault(label.key, label.value) != label.value:
                found = {"key": [f"{label.key!r} is given twice with different values"]}
            cleaned.append(label)
        for field, texts in found.items():
            problems[f"labels.{index}.{field}".rstrip(".")] = texts
    if problems:
        raise Invalid("The labels cannot be taken.", fields=problems)
    return list({label.key: label for label in cleaned}.values())


def _problems(given: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in given.keys() - FIELDS:
        found[str(name)] = [f"is no field of a label; known: {', '.join(sorted(FIELDS))}"]
    key = given.get("key")
    if not isinstance(key, str | int) or isinstance(key, bool) or not str(key).strip():
        found["key"] = [f"must be a text that names the row, got {key!r}"]
    elif len(str(key)) > MAX_KEY:
        found["key"] = [f"must have at most {MAX_KEY} characters, got {len(str(key))}"]
    value = given.get("value")
    if not isinstance(value, bool | int | float | str) or str(value).strip() == "":
        found["value"] = [f"must be a class (true, 1 or a text) or a number; got {value!r}"]
    moment = given.get("observed_at")
    if moment is not None and _time(moment) is None:
        found["observed_at"] = [f"must be a time in ISO 8601, got {moment!r}"]
    return found


def _time(value: object) -> datetime | None:
    """A time; without an offset it is UTC."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
