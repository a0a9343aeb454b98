"""Runs, and who holds the baton."""

from typing import Any, ClassVar

from rest_framework import serializers

from pipelines.lifecycles import RunState
from pipelines.runs.models import Run, Stage
from portal.api.serializers.base import Input, Output, PersonSerializer, choices
from portal.api.serializers.stages import StageSerializer
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
