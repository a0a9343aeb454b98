"""Runs, stages, steps, attempts, work items."""

from typing import Any, ClassVar

from rest_framework import serializers

from pipelines.lifecycles import RunState, WorkItemState
from pipelines.runs.models import Attempt, Run, Stage, Step, WorkItem
from portal.api.serializers.base import Input, Output, PersonSerializer, choices
from portal.api.serializers.use_cases import InputsField

KINDS = [("main", "main"), ("watch", "watch")]


class UseCaseNameSerializer(Output):
    """A use case's key and title."""

    key = serializers.CharField()
    title = serializers.CharField()


class RunSerializer(serializers.ModelSerializer[Run]):
    """One pass of a use case through a blueprint version."""

    use_case = UseCaseNameSerializer()
    label = serializers.CharField()
    blueprint = serializers.CharField(source="version.blueprint.key")
    blueprint_version = serializers.IntegerField(source="version.number")
    created_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Run
        fields = (
            "id",
            "label",
            "kind",
            "number",
            "state",
            "use_case",
            "blueprint",
            "blueprint_version",
            "created_by",
            "created_at",
            "started_at",
            "finished_at",
            "paused_at",
            "moved_at",
            "reason",
        )


class StageSerializer(serializers.ModelSerializer[Stage]):
    """One round of a persona-owned part of a run."""

    persona = serializers.CharField(source="persona_id")
    title = serializers.SerializerMethodField()
    code = serializers.SerializerMethodField()
    owner = PersonSerializer(allow_null=True)
    returned_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Stage
        fields = (
            "id",
            "run",
            "key",
            "code",
            "title",
            "round",
            "current",
            "position",
            "persona",
            "state",
            "owner",
            "returned_by",
            "return_reason",
            "return_code",
            "created_at",
            "activated_at",
            "owned_at",
            "submitted_at",
            "finished_at",
            "due_at",
        )

    def get_title(self, stage: Stage) -> str:
        """Return the stage's title of the run's blueprint version."""
        return str(defined(stage).get("title", stage.key))

    def get_code(self, stage: Stage) -> str:
        """Return the stage's short code, such as S5."""
        return str(defined(stage).get("code", ""))


def defined(stage: Stage) -> dict[str, Any]:
    """Return the stage's definition in the run's blueprint version, which must be loaded."""
    stages: list[dict[str, Any]] = stage.run.version.body["stages"]
    return next((one for one in stages if one["key"] == stage.key), {})


class RunDetailSerializer(RunSerializer):
    """A run with its current rounds, and with what it was started with."""

    blueprint_digest = serializers.CharField(source="version.digest")
    parameters = serializers.DictField()
    inputs = serializers.DictField()
    seed = serializers.IntegerField()
    trigger = serializers.DictField()
    restarted_from = serializers.PrimaryKeyRelatedField[Run](read_only=True, allow_null=True)
    stages = serializers.SerializerMethodField()

    class Meta(RunSerializer.Meta):
        fields: ClassVar[Any] = (
            *RunSerializer.Meta.fields,
            "blueprint_digest",
            "parameters",
            "inputs",
            "seed",
            "trigger",
            "restarted_from",
            "stages",
        )

    def get_stages(self, run: Run) -> list[dict[str, Any]]:
        """Return the current round of each stage; one query."""
        rows = run.stages.filter(current=True).select_related("owner", "returned_by")
        return list(StageSerializer([_with(run, row) for row in rows], many=True).data)


def _with(run: Run, stage: Stage) -> Stage:
    stage.run = run
    return stage


class RunInput(Input):
    """A new run; what is missing comes from the use case."""

    blueprint = serializers.CharField(default="", allow_blank=True, help_text="the use case's own")
    parameters = serializers.DictField(required=False)
    inputs = InputsField(required=False)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=2013)
    start = serializers.BooleanField(default=True)


class RunFilter(Input):
    """Which runs."""

    use_case = serializers.CharField(required=False, help_text="key of the use case")
    state = serializers.ChoiceField(choices=choices(RunState), required=False)
    kind = serializers.ChoiceField(choices=KINDS, required=False)


class RunAnswer(Output):
    """The run and its state now."""

    run = serializers.IntegerField()
    label = serializers.CharField()
    state = serializers.CharField()
    use_case = serializers.CharField()


class HolderSerializer(Output):
    """One who holds the baton: what they do, and why; `noun` and `id` name what to act on."""

    stage = serializers.CharField(allow_blank=True)
    personas = serializers.ListField(child=serializers.CharField())
    who = serializers.CharField(allow_blank=True)
    does = serializers.CharField()
    why = serializers.CharField(allow_blank=True)
    since = serializers.DateTimeField(allow_null=True)
    due = serializers.DateTimeField(allow_null=True)
    waiting = serializers.BooleanField(help_text="it waits for a person")
    noun = serializers.CharField()
    id = serializers.IntegerField(source="pk")


class BatonSerializer(Output):
    """All who hold it now; nobody where the run has not begun or is over, as `over` says."""

    holders = HolderSerializer(many=True)
    over = serializers.CharField(allow_blank=True)


class AssignInput(Input):
    """Who owns the stage from now on."""

    owner = serializers.CharField(help_text="login name")
    reason = serializers.CharField(
        default="", allow_blank=True, max_length=10_000, help_text="needed to take it from someone"
    )


class SendBackInput(Input):
    """Where a failed stage goes back to, and why."""

    target = serializers.CharField(help_text="key of the stage")
    reason = serializers.CharField(max_length=10_000)
    reason_code = serializers.CharField()


class StageAnswer(Output):
    """The stage and its state now."""

    stage = serializers.IntegerField()
    run = serializers.IntegerField()
    key = serializers.CharField()
    round = serializers.IntegerField()
    state = serializers.CharField()
    owner = serializers.CharField(allow_null=True)


class StepSerializer(serializers.ModelSerializer[Step]):
    """One operation in one stage's round, with the result of its successful attempt."""

    stage_key = serializers.CharField(source="stage.key")
    round = serializers.IntegerField(source="stage.round")
    edited_by = PersonSerializer(allow_null=True)
    cached = serializers.SerializerMethodField()
    outputs = serializers.SerializerMethodField()
    facts = serializers.SerializerMethodField()

    class Meta:
        model = Step
        fields = (
            "id",
            "run",
            "stage",
            "stage_key",
            "round",
            "hand_off",
            "key",
            "position",
            "operation",
            "state",
            "tries",
            "losses",
            "overrides",
            "edited_by",
            "retry_at",
            "created_at",
            "result",
            "cached",
            "outputs",
            "facts",
        )

    def get_cached(self, step: Step) -> bool:
        """Whether the result was reused, as its inputs had not changed."""
        return step.result is not None and step.result.cached_from_id is not None

    def get_outputs(self, step: Step) -> dict[str, Any]:
        """Return the artefacts by output name: digest, size in bytes, media."""
        return step.result.outputs if step.result is not None else {}

    def get_facts(self, step: Step) -> dict[str, Any]:
        """Return what checks read of the result."""
        return step.result.facts if step.result is not None else {}


class RetryInput(Input):
    """How to try again."""

    overrides = serializers.DictField(default=dict, help_text="parameters to change")
    refuse_cache = serializers.BooleanField(default=False, help_text="compute even what is known")


class StepAnswer(Output):
    """The step with its new attempt."""

    step = serializers.IntegerField()
    attempt = serializers.IntegerField()
    state = serializers.CharField()


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One try of a step; `usage` holds seconds and MiB."""

    step_key = serializers.CharField(source="step.key")
    stage_key = serializers.CharField(source="step.stage.key")

    class Meta:
        model = Attempt
        fields = (
            "id",
            "run",
            "step",
            "step_key",
            "stage_key",
            "number",
            "state",
            "operation",
            "operation_version",
            "queue",
            "priority",
            "due_at",
            "seed",
            "cache_key",
            "cached_from",
            "worker",
            "deliveries",
            "lease_until",
            "cancel_requested",
            "progress",
            "progress_text",
            "progress_rows",
            "progress_at",
            "error",
            "usage",
            "created_at",
            "started_at",
            "finished_at",
        )


class AttemptDetailSerializer(AttemptSerializer):
    """An attempt with all it was given and all it made."""

    class Meta(AttemptSerializer.Meta):
        fields: ClassVar[Any] = (
            *AttemptSerializer.Meta.fields,
            "params",
            "inputs",
            "outputs",
            "facts",
            "log",
        )


class WorkItemSerializer(serializers.ModelSerializer[WorkItem]):
    """What a person has to do in a stage; send `version` back with a draft or completion."""

    use_case = serializers.CharField(source="run.use_case.key")
    run_label = serializers.CharField(source="run.label")
    stage_key = serializers.CharField(source="stage.key")
    round = serializers.IntegerField(source="stage.round")
    persona = serializers.CharField(source="persona_id")
    holder = PersonSerializer(allow_null=True)
    completed_by = PersonSerializer(allow_null=True)

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
            "version",
            "context",
            "opened_at",
            "claimed_at",
            "closed_at",
            "due_at",
            "follow_up_at",
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
        """Return the item's fields of the run's blueprint version; none for attention items."""
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


class WorkItemAnswer(Output):
    """The work item and its state now."""

    item = serializers.IntegerField()
    run = serializers.IntegerField()
    key = serializers.CharField()
    state = serializers.CharField()
    version = serializers.IntegerField()
    holder = serializers.CharField(allow_null=True)
