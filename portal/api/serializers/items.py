"""Work items."""

from typing import Any, ClassVar

from rest_framework import serializers

from pipelines.blueprints.digest import field_json
from pipelines.lifecycles import WorkItemState
from pipelines.runs.helping import CODES, FIELDS, HELP
from pipelines.runs.models import WorkItem
from portal.api.serializers.base import Input, Output, PersonSerializer, choices
from portal.api.serializers.stages import defined


class WorkItemSerializer(serializers.ModelSerializer[WorkItem]):
    """What a person has to do in a stage; send `version` back with a draft or completion."""

    use_case = serializers.CharField(source="run.use_case.key")
    run_label = serializers.CharField(source="run.label")
    stage_key = serializers.CharField(source="stage.key")
    round = serializers.IntegerField(source="stage.round")
    persona = serializers.CharField(source="persona_id")
    holder = PersonSerializer(allow_null=True)
    completed_by = PersonSerializer(allow_null=True)
    delegated_by = PersonSerializer(allow_null=True, help_text="who stays accountable for it")
    asked_by = PersonSerializer(allow_null=True, help_text="who asks for help")

    class Meta:
        model = WorkItem
        fields = (
            "id",
            "use_case",
            "run",
            "run_label",
            "stage",
            "stage_key",
            "round",
            "hand_off",
            "key",
            "kind",
            "title",
            "persona",
            "candidates",
            "state",
            "holder",
            "completed_by",
            "delegated_by",
            "asked_by",
            "escalations",
            "version",
            "context",
            "opened_at",
            "claimed_at",
            "closed_at",
            "due_at",
            "follow_up_at",
            "hold_reason",
        )


class WorkItemDetailSerializer(WorkItemSerializer):
    """A work item with its fields, its draft and what was filled in."""

    fields_ = serializers.SerializerMethodField(
        method_name="get_definitions", help_text="definitions of the fields to fill in"
    )
    draft = serializers.DictField()
    data = serializers.DictField()

    class Meta(WorkItemSerializer.Meta):
        fields: ClassVar[Any] = (
            *WorkItemSerializer.Meta.fields,
            "draft",
            "data",
            "data_digest",
            "fields_",
        )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Name the definitions `fields`, which DRF keeps for itself."""
        found = super().get_fields()
        return {("fields" if name == "fields_" else name): field for name, field in found.items()}

    def get_definitions(self, item: WorkItem) -> list[dict[str, Any]]:
        """Return the item's fields: the blueprint's, a request's for help, or none."""
        if item.kind == HELP:
            return [field_json(field) for field in FIELDS]
        items: list[dict[str, Any]] = defined(item.stage).get("items", [])
        return next((one["fields"] for one in items if one["key"] == item.key), [])


class WorkItemFilter(Input):
    """Which work items."""

    state = serializers.ChoiceField(choices=choices(WorkItemState), required=False)
    mine = serializers.BooleanField(default=False, help_text="held by you")
    use_case = serializers.CharField(required=False, help_text="key of the use case")
    run = serializers.IntegerField(required=False)


class DraftInput(Input):
    """What is filled in, on which copy."""

    data = serializers.DictField()
    version = serializers.IntegerField(help_text="the version you saw")


class HoldInput(Input):
    """Until when an item is put aside, and why."""

    follow_up = serializers.DateField(help_text="the day on which it comes back")
    reason = serializers.CharField(default="", allow_blank=True, max_length=10_000)


class PassOnInput(Input):
    """Who an item goes to, and why."""

    to = serializers.CharField(help_text="login name")
    reason = serializers.CharField(
        default="", allow_blank=True, max_length=10_000, help_text="needed to take it from someone"
    )


class NoteInput(Input):
    """A word with it."""

    note = serializers.CharField(default="", allow_blank=True, max_length=10_000)


class HelpInput(Input):
    """What is asked of another persona."""

    persona = serializers.CharField(help_text="code of the persona that could help")
    question = serializers.CharField(max_length=20_000)
    code = serializers.ChoiceField(
        choices=list(CODES.items()), default="other", help_text="why help is asked for"
    )
    days = serializers.IntegerField(default=2, help_text="working days for the answer")


class WorkItemAnswer(Output):
    """The work item and its state now."""

    item = serializers.IntegerField()
    run = serializers.IntegerField()
    key = serializers.CharField()
    state = serializers.CharField()
    version = serializers.IntegerField()
    holder = serializers.CharField(allow_null=True)
    delegated_by = serializers.CharField(allow_null=True)
    follow_up_at = serializers.DateTimeField(allow_null=True)
