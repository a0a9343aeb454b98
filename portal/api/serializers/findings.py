"""Findings, and delegations."""

from typing import Any, ClassVar

from rest_framework import serializers

from personas.errors import DomainError
from pipelines.lifecycles import FindingState
from pipelines.runs.models import Finding
from pipelines.runs.policies import Hat, not_extending, not_resolving
from pipelines.usecases.models import Delegation
from portal.api.serializers.base import Input, Output, PersonSerializer, Reason, choices


class FindingSerializer(serializers.ModelSerializer[Finding]):
    """A condition of an approval: overdue, the approval lapses."""

    named_by = serializers.CharField(source="decision.who")
    resolved_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Finding
        fields = (
            "id",
            "run",
            "gate",
            "decision",
            "named_by",
            "text",
            "severity",
            "persona",
            "state",
            "opened_at",
            "due_at",
            "extensions",
            "evidence",
            "artefacts",
            "resolved_by",
            "closed_at",
        )


class FindingDetailSerializer(FindingSerializer):
    """A finding with where it belongs, and what you may do."""

    use_case = serializers.CharField(source="run.use_case.key")
    run_label = serializers.CharField(source="run.label")
    stage_key = serializers.CharField(source="gate.stage.key")
    resolved_for = PersonSerializer(allow_null=True)
    forbidden = serializers.SerializerMethodField(help_text="why you may not; null where you may")

    class Meta(FindingSerializer.Meta):
        fields: ClassVar[Any] = (
            *FindingSerializer.Meta.fields,
            "use_case",
            "run_label",
            "stage_key",
            "resolved_for",
            "forbidden",
        )

    def get_forbidden(self, finding: Finding) -> dict[str, dict[str, str] | None]:
        """Return what forbids the person who asks to resolve or to extend it."""
        hat = Hat.of(self.context["user"], finding.run)
        return {
            "resolve": _told(not_resolving(hat, finding)),
            "extend": _told(not_extending(hat, finding)),
        }


def _told(error: DomainError | None) -> dict[str, str] | None:
    return None if error is None else {"code": error.code, "detail": error.message}


class FindingFilter(Input):
    """Which findings."""

    state = serializers.ChoiceField(choices=choices(FindingState), required=False)
    persona = serializers.CharField(required=False)
    use_case = serializers.CharField(required=False, help_text="key of the use case")
    run = serializers.IntegerField(required=False)
    gate = serializers.IntegerField(required=False)


class EvidenceInput(Input):
    """What was done, and the artefacts that show it."""

    evidence = serializers.CharField(max_length=10_000)
    artefacts = serializers.ListField(
        child=serializers.RegexField(r"^[0-9a-f]{64}$"), default=list, max_length=20
    )


class ExtensionInput(Reason):
    """How much more time, and why."""

    days = serializers.IntegerField(min_value=1, max_value=90, help_text="counted from now")


class FindingAnswer(Output):
    """The finding and its state now."""

    finding = serializers.IntegerField()
    gate = serializers.IntegerField()
    run = serializers.IntegerField()
    state = serializers.CharField()
    due_at = serializers.DateTimeField()
    resolved_by = serializers.CharField(allow_null=True)


class DelegationSerializer(serializers.ModelSerializer[Delegation]):
    """A person is away; the deputy acts for them as the persona. Without one they are just away."""

    giver = PersonSerializer()
    deputy = PersonSerializer(allow_null=True)
    use_case = serializers.CharField(source="use_case.key", allow_null=True, default=None)
    created_by = PersonSerializer()

    class Meta:
        model = Delegation
        fields = (
            "id",
            "giver",
            "deputy",
            "persona",
            "use_case",
            "since",
            "until",
            "reason",
            "created_by",
            "created_at",
            "ended_at",
        )


class DelegationInput(Input):
    """Who is away from when until when, and who acts for them as what; null: nobody does."""

    giver = serializers.CharField(required=False, help_text="username; yourself if left out")
    deputy = serializers.CharField(required=False, allow_null=True, help_text="username")
    persona = serializers.CharField(required=False, allow_null=True)
    use_case = serializers.CharField(
        required=False, allow_null=True, help_text="key of the only use case it is for"
    )
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    reason = serializers.CharField(default="", allow_blank=True, max_length=200)


class DelegationAnswer(Output):
    """The delegation as it is now."""

    delegation = serializers.IntegerField()
    giver = serializers.CharField()
    deputy = serializers.CharField(allow_blank=True)
    persona = serializers.CharField(allow_blank=True)
    use_case = serializers.IntegerField(allow_null=True)
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
