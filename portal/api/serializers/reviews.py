"""Gates, checks, decisions and hand-offs."""

from typing import Any, ClassVar

from rest_framework import serializers

from personas.errors import DomainError
from pipelines.lifecycles import GateState, HandOffState
from pipelines.runs.actions.gates import REASON_CODES, VERDICTS
from pipelines.runs.models import Check, Decision, Gate, HandOff
from pipelines.runs.policies import Hat, not_deciding, not_receiving, not_sending
from pipelines.runs.queries.hand_off import checklist_of
from portal.api.serializers.base import Input, Output, PersonSerializer, choices
from portal.api.serializers.stages import defined


class RefusalSerializer(Output):
    """Why you may not: the rule and its message; null where you may."""

    code = serializers.CharField()
    detail = serializers.CharField()


def refusal(error: DomainError | None) -> dict[str, str] | None:
    """Return what forbids an act, as the act itself would say it."""
    return None if error is None else {"code": error.code, "detail": error.message}


class CheckSerializer(serializers.ModelSerializer[Check]):
    """A computed result against a threshold; `result` holds value, interval, threshold, advice."""

    blocks = serializers.BooleanField()
    waived_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Check
        fields = (
            "id",
            "gate",
            "hand_off",
            "name",
            "position",
            "blocking",
            "blocks",
            "verdict",
            "result",
            "judged_at",
            "waived_by",
            "waived_until",
            "waiver_reason",
        )


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """One person's verdict on the digest that was shown."""

    user = PersonSerializer()

    class Meta:
        model = Decision
        fields = (
            "id",
            "gate",
            "user",
            "personas",
            "state",
            "verdict",
            "reason",
            "reason_code",
            "target",
            "subject_digest",
            "at",
            "carried_from",
        )


class GateSerializer(serializers.ModelSerializer[Gate]):
    """The review of a stage's round; decide with `seen` = `subject_digest`."""

    use_case = serializers.CharField(source="run.use_case.key")
    run_label = serializers.CharField(source="run.label")
    stage_key = serializers.CharField(source="stage.key")
    round = serializers.IntegerField(source="stage.round")
    persona = serializers.CharField(source="stage.persona_id")
    closed_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Gate
        fields = (
            "id",
            "use_case",
            "run",
            "run_label",
            "stage",
            "stage_key",
            "round",
            "persona",
            "state",
            "subject_digest",
            "policy",
            "opened_at",
            "due_at",
            "expires_at",
            "escalations",
            "closed_at",
            "closed_by",
            "closing_reason",
            "overridden",
        )


class MayDecideSerializer(Output):
    """What you may do in a gate."""

    decide = RefusalSerializer(allow_null=True)


class GateDetailSerializer(GateSerializer):
    """A gate with its evidence, checks and decisions, and whether you may decide."""

    pack = serializers.DictField(help_text="the frozen evidence")
    authors = serializers.SerializerMethodField(help_text="ids of those who made the subject")
    checks = CheckSerializer(many=True)
    decisions = DecisionSerializer(many=True)
    forbidden = serializers.SerializerMethodField(help_text="why you may not; null where you may")

    class Meta(GateSerializer.Meta):
        fields: ClassVar[Any] = (
            *GateSerializer.Meta.fields,
            "pack",
            "authors",
            "checks",
            "decisions",
            "forbidden",
        )

    def get_authors(self, gate: Gate) -> list[int]:
        """Return who may not decide, for they made part of it."""
        return list(gate.author_ids)

    def get_forbidden(self, gate: Gate) -> dict[str, dict[str, str] | None]:
        """Return what forbids the person who asks to decide."""
        hat = Hat.of(self.context["user"], gate.run)
        return {"decide": refusal(not_deciding(hat, gate))}


class GateFilter(Input):
    """Which gates."""

    state = serializers.ChoiceField(choices=choices(GateState), required=False)
    use_case = serializers.CharField(required=False, help_text="key of the use case")
    run = serializers.IntegerField(required=False)


class DecisionInput(Input):
    """A verdict on exactly what was seen."""

    verdict = serializers.ChoiceField(choices=choices(VERDICTS))
    seen = serializers.CharField(max_length=64, help_text="the gate's `subject_digest` you saw")
    reason = serializers.CharField(
        default="", allow_blank=True, max_length=20_000, help_text="needed to refuse"
    )
    reason_code = serializers.ChoiceField(
        choices=list(REASON_CODES.items()), default="", allow_blank=True
    )
    target = serializers.CharField(
        default="", allow_blank=True, help_text="stage to send back to; the first one allowed"
    )


class WaiverInput(Input):
    """Why a red check may be passed over, and for how long."""

    reason = serializers.CharField(max_length=10_000)
    days = serializers.IntegerField(min_value=1, max_value=90)


class GateAnswer(Output):
    """The gate and its state now."""

    gate = serializers.IntegerField()
    run = serializers.IntegerField()
    stage = serializers.CharField()
    state = serializers.CharField()
    subject_digest = serializers.CharField()
    closed_at = serializers.DateTimeField(allow_null=True)
    closed_by = serializers.CharField(allow_null=True)


class HandOffSerializer(serializers.ModelSerializer[HandOff]):
    """A stage's result passing to the next persona; `gap` is in expertise points."""

    use_case = serializers.CharField(source="run.use_case.key")
    run_label = serializers.CharField(source="run.label")
    source_key = serializers.CharField(source="source.key")
    source_persona = serializers.CharField(source="source.persona_id")
    target_key = serializers.CharField(source="target.key")
    target_persona = serializers.CharField(source="target.persona_id")
    offered_by = PersonSerializer(allow_null=True)
    answered_by = PersonSerializer(allow_null=True)

    class Meta:
        model = HandOff
        fields = (
            "id",
            "use_case",
            "run",
            "run_label",
            "code",
            "state",
            "source",
            "source_key",
            "source_persona",
            "target",
            "target_key",
            "target_persona",
            "note",
            "gap",
            "created_at",
            "offered_at",
            "offered_by",
            "due_at",
            "answered_at",
            "answered_by",
            "return_code",
            "return_reason",
        )


class HandOffDetailSerializer(HandOffSerializer):
    """A hand-off with its package, its checklist and the receiver's contract."""

    package = serializers.DictField(help_text="artefacts by step and output")
    answers = serializers.DictField(source="checklist", help_text="the checklist's answers")
    checklist = serializers.SerializerMethodField(help_text="what the sender is asked")
    checks = CheckSerializer(many=True, help_text="results of the contract")
    forbidden = serializers.SerializerMethodField(help_text="why you may not; null where you may")

    class Meta(HandOffSerializer.Meta):
        fields: ClassVar[Any] = (
            *HandOffSerializer.Meta.fields,
            "package",
            "checklist",
            "answers",
            "checks",
            "forbidden",
        )

    def get_checklist(self, hand_off: HandOff) -> list[dict[str, Any]]:
        """Return the checklist's entries of the run's blueprint version."""
        hand_off.source.run = hand_off.run
        definition = defined(hand_off.source).get("hand_off") or {}
        entries: list[dict[str, Any]] = definition.get("checklist", [])
        known = {entry["key"] for entry in entries}
        return entries + [
            {"key": entry.key, "label": entry.label, "value": ""}
            for entry in checklist_of(hand_off)
            if entry.key not in known
        ]

    def get_forbidden(self, hand_off: HandOff) -> dict[str, dict[str, str] | None]:
        """Return what forbids the person who asks to offer or to accept."""
        hat = Hat.of(self.context["user"], hand_off.run)
        return {
            "offer": refusal(not_sending(hat, hand_off)),
            "accept": refusal(not_receiving(hat, hand_off)),
        }


class HandOffFilter(Input):
    """Which hand-offs."""

    state = serializers.ChoiceField(choices=choices(HandOffState), required=False)
    use_case = serializers.CharField(required=False, help_text="key of the use case")
    run = serializers.IntegerField(required=False)


class OfferInput(Input):
    """The checklist's answers, and a word to the receiver."""

    answers = serializers.DictField(default=dict)
    note = serializers.CharField(default="", allow_blank=True, max_length=20_000)


class HandOffAnswer(Output):
    """The hand-off and its state now."""

    hand_off = serializers.IntegerField()
    run = serializers.IntegerField()
    to = serializers.CharField()
    state = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which is a word of Python's."""
        return {**super().get_fields(), "from": serializers.CharField()}
