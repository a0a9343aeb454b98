"""Outcomes that come late."""

import pytest

from personas.errors import Invalid, NotAllowed
from personas.ledger import Actor
from pipelines.serving.actions import take_labels
from pipelines.serving.models import Label
from tests.release import person, release

pytestmark = pytest.mark.django_db


def test_labels_are_taken_once_and_contradictions_are_named() -> None:
    made = release()
    actor = Actor.person(person("Dee", use_case=made.case, persona="DE"))
    first = take_labels(
        actor=actor, model=made.model,
        labels=[{"key": "a", "value": True}, {"key": "b", "value": False}],
    ).data  # fmt: skip
    assert (first["taken"], first["contradiction_count"]) == (2, 0)
    again = take_labels(
        actor=actor, model=made.model,
        labels=[{"key": "a", "value": "True"}, {"key": "b", "value": True},
                {"key": "c", "value": 1}],
    ).data  # fmt: skip
    assert (again["contradiction_count"], again["contradictions"]) == (
        1, [{"key": "b", "on_record": "false", "given": "true"}],
    )  # fmt: skip
    assert dict(Label.objects.values_list("key", "value")) == {
        "a": "true", "b": "false", "c": "1",
    }  # fmt: skip


def test_every_bad_label_is_named() -> None:
    made = release()
    actor = Actor.person(person("Dee", use_case=made.case, persona="DE"))
    labels = [
        {"key": "", "value": 1},
        {"key": "b", "value": None},
        {"key": "c", "value": 1, "observed_at": "yesterday"},
        {"key": "d", "value": 1, "when": 3},
        {"key": "e", "value": 1},
        {"key": "e", "value": 0},
    ]
    with pytest.raises(Invalid) as refused:
        take_labels(actor=actor, model=made.model, labels=labels)
    assert set(refused.value.fields) == {
        "labels.0.key", "labels.1.value", "labels.2.observed_at", "labels.3.when", "labels.5.key",
    }  # fmt: skip
    assert not Label.objects.exists()


def test_labels_take_a_seat() -> None:
    made = release()
    with pytest.raises(NotAllowed):
        take_labels(
            actor=Actor.person(person("Eve")), model=made.model, labels=[{"key": "a", "value": 1}]
        )
