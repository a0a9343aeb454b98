"""Models, versions, deployments, aliases, labels."""

from rest_framework import serializers

from pipelines.registry.models import AliasMove, Deployment, Model, ModelVersion
from pipelines.serving.models import Label
from portal.api.serializers.base import Input, Output, PersonSerializer


class DeployedSerializer(Output):
    """A version that answers, or scores in shadow, now; `approval` is the gate's id."""

    id = serializers.IntegerField()
    mode = serializers.CharField()
    version = serializers.IntegerField(source="version.number")
    share = serializers.FloatField()
    approval = serializers.IntegerField(source="approval_id", allow_null=True)
    started_at = serializers.DateTimeField()


class ModelSerializer(serializers.ModelSerializer[Model]):
    """A registered model; `fallback` answers while no version may."""

    use_case = serializers.CharField(source="use_case.key")
    deployed = DeployedSerializer(many=True)

    class Meta:
        model = Model
        fields = ("name", "title", "use_case", "fallback", "created_at", "deployed")


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """One trained artefact with its lineage; `approval` is the gate that approved it."""

    registered_by = PersonSerializer(allow_null=True)
    overridden = serializers.BooleanField(
        help_text="whether a gate of its run was approved against its rules"
    )

    class Meta:
        model = ModelVersion
        fields = (
            "id",
            "number",
            "state",
            "overridden",
            "run",
            "package",
            "sources",
            "facts",
            "approval",
            "registered_by",
            "registered_at",
            "approved_at",
        )


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    """A version made to answer, from when to when."""

    version = serializers.IntegerField(source="version.number")
    started_by = PersonSerializer(allow_null=True)
    ended_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Deployment
        fields = (
            "id",
            "version",
            "mode",
            "share",
            "approval",
            "run",
            "started_by",
            "started_at",
            "ended_by",
            "ended_at",
            "ended_reason",
        )


class AliasMoveSerializer(serializers.ModelSerializer[AliasMove]):
    """What an alias pointed to from when on; null: to nothing any more."""

    version = serializers.IntegerField(source="version.number", allow_null=True, default=None)
    by = PersonSerializer(allow_null=True)

    class Meta:
        model = AliasMove
        fields = ("id", "name", "version", "at", "by", "reason")


class LabelSerializer(serializers.ModelSerializer[Label]):
    """The outcome of a row."""

    class Meta:
        model = Label
        fields = ("id", "key", "value", "observed_at", "received_at")


class LabelsInput(Input):
    """Outcomes: `{key, value, observed_at}` each; a value is true or false, a number or a text."""

    labels = serializers.ListField(child=serializers.DictField(), min_length=1)


class ContradictionSerializer(Output):
    """An outcome that differs from the one on record; it was not taken."""

    key = serializers.CharField()
    on_record = serializers.CharField()
    given = serializers.CharField()


class LabelsAnswer(Output):
    """What became of the labels."""

    model = serializers.CharField()
    given = serializers.IntegerField()
    taken = serializers.IntegerField()
    known = serializers.IntegerField()
    contradictions = ContradictionSerializer(many=True)
    contradiction_count = serializers.IntegerField()


class DeployedNow(Output):
    """A mode, its version and its share of the callers."""

    mode = serializers.CharField()
    version = serializers.IntegerField()
    share = serializers.FloatField()


class ModelAnswer(Output):
    """What is deployed now."""

    model = serializers.CharField()
    deployed = DeployedNow(many=True)
