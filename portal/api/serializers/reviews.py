"""Gates, checks, decisions and hand-offs."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from personas.errors import DomainError
from pipelines.lifecycles import GateState, HandOffState
from pipelines.runs.actions.verdicts import REASON_CODES, VERDICTS
from pipelines.runs.blind import seen_by
from pipelines.runs.models import Check, Decision, Gate, HandOff, Override
from pipelines.runs.models.findings import SEVERITIES
from pipelines.runs.policies import (
    Hat,
    not_deciding,
    not_overriding,
    not_receiving,
    not_sending,
)
from pipelines.runs.queries.hand_off import checklist_of
from portal.api.serializers.base import Input, Output, PersonSerializer, choices
from portal.api.serializers.findings import FindingSerializer
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


class ConditionSerializer(Output):
    """A condition of an approval; it becomes a finding when the gate approves."""

    text = serializers.CharField()
    severity = serializers.ChoiceField(choices=choices(SEVERITIES))
    persona = serializers.CharField(help_text="whose persona is to fulfil it")
    days = serializers.IntegerField(help_text="counted from the approval")


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """One person's verdict on the digest that was shown; `on_behalf_of`: whose deputy they were."""

    user = PersonSerializer()
    on_behalf_of = PersonSerializer(allow_null=True)
    conditions = ConditionSerializer(many=True)

    class Meta:
        model = Decision
        fields = (
            "id",
            "gate",
            "user",
            "on_behalf_of",
            "personas",
            "state",
            "verdict",
            "reason",
            "reason_code",
            "target",
            "conditions",
            "subject_digest",
            "at",
            "confirmed_at",
            "carried_from",
        )


class GateSerializer(serializers.ModelSerializer[Gate]):
    """The review of a stage's round; decide with `seen` = `subject_digest`."""

    use_case = serializers.CharField(source="run.use_case.key")
    run_label = serializers.CharField(source="run.label")
    stage_key = serializers.CharField(source="stage.key")
    round = serializers.IntegerField(source="stage.round")
    persona = serializers.CharField(source="stage.persona_id")
    sealed = serializers.BooleanField(help_text="blind, and the verdicts are not revealed yet")
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
            "sealed",
            "revealed_at",
            "tally_at",
        )


class OverrideSerializer(serializers.ModelSerializer[Override]):
    """The gate closed against its rules; without `done_at` it waits for a second person."""

    by = PersonSerializer()
    seconded_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Override
        fields = (
            "id",
            "verdict",
            "reason",
            "subject_digest",
            "by",
            "at",
            "seconded_by",
            "seconded_at",
            "second_reason",
            "done_at",
        )


class MayDecideSerializer(Output):
    """What you may do in a gate."""

    decide = RefusalSerializer(allow_null=True)


class GateDetailSerializer(GateSerializer):
    """A gate with its evidence, checks and decisions, and whether you may decide."""

    pack = serializers.DictField(help_text="the frozen evidence")
    authors = serializers.SerializerMethodField(help_text="ids of those who made the subject")
    checks = CheckSerializer(many=True)
    decisions = serializers.SerializerMethodField(help_text="in a sealed gate your own alone")
    decided = serializers.SerializerMethodField(help_text="how many decisions are in force")
    deputy_for = serializers.SerializerMethodField(
        help_text="people you may decide for here: give one as `on_behalf_of`"
    )
    override = OverrideSerializer(allow_null=True, default=None)
    findings = FindingSerializer(many=True)
    forbidden = serializers.SerializerMethodField(help_text="why you may not; null where you may")

    class Meta(GateSerializer.Meta):
        fields: ClassVar[Any] = (
            *GateSerializer.Meta.fields,
            "pack",
            "authors",
            "checks",
            "decisions",
            "decided",
            "deputy_for",
            "override",
            "findings",
            "forbidden",
        )

    @extend_schema_field(DecisionSerializer(many=True))
    def get_decisions(self, gate: Gate) -> Any:
        """Return what the person who asks may see of the decisions."""
        shown = seen_by(self.context["user"], gate, gate.decisions.all())
        return DecisionSerializer(shown, many=True).data

    def get_decided(self, gate: Gate) -> int:
        """Return how many decisions count now."""
        return sum(decision.state == "IN_FORCE" for decision in gate.decisions.all())

    @extend_schema_field(PersonSerializer(many=True))
    def get_deputy_for(self, gate: Gate) -> Any:
        """Return for whom the person who asks may decide."""
        hat = self._hat(gate)
        lent = [one.giver for one in hat.lent if not_deciding(hat, gate, one.giver) is None]
        return PersonSerializer(lent, many=True).data

    def _hat(self, gate: Gate) -> Hat:
        """The hats of the person who asks, fetched once."""
        if not hasattr(self, "_worn"):
            self._worn = Hat.of(self.context["user"], gate.run)
        return self._worn

    def get_authors(self, gate: Gate) -> list[int]:
        """Return who may not decide, for they made part of it."""
        return list(gate.author_ids)

    def get_forbidden(self, gate: Gate) -> dict[str, dict[str, str] | None]:
        """Return what forbids the person who asks to decide, and to override."""
        hat = self._hat(gate)
        return {
            "decide": refusal(not_deciding(hat, gate)),
            "override": refusal(not_overriding(hat, gate)),
        }


class GateFilter(Input):
    """Which gates."""

    state = serializers.ChoiceField(choices=choices(GateState), required=False)
    use_case = serializers.CharField(required=False, help_text="key of the use case")
    run = serializers.IntegerField(required=False)


class ConditionInput(Input):
    """What an approval asks for: of which persona, within how many days of the approval."""

    text = serializers.CharField(max_length=2_000)
    severity = serializers.ChoiceField(choices=choices(SEVERITIES), default="major")
    persona = serializers.CharField()
    days = serializers.IntegerField(min_value=1, max_value=90, default=14)


class OverrideInput(Input):
    """The verdict that closes a gate against its rules."""

    verdict = serializers.ChoiceField(choices=["approve", "reject"])
    seen = serializers.CharField(max_length=64, help_text="the gate's `subject_digest` you saw")
    reason = serializers.CharField(max_length=10_000, help_text="shown for ever")


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
    conditions = ConditionInput(many=True, default=list)
    on_behalf_of = serializers.CharField(
        required=False, help_text="username of whom you are the deputy of, and decide for"
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
