"""Alerts."""

from rest_framework import serializers

from pipelines.lifecycles import AlertState
from pipelines.monitoring.models import Alert
from portal.api.serializers.base import Input, Output, PersonSerializer, choices


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """One cause found by one run, the persona that owns it, and the answer."""

    use_case = serializers.CharField(source="model.use_case.key")
    model = serializers.CharField(source="model.name")
    version = serializers.IntegerField(source="version.number", allow_null=True, default=None)
    persona = serializers.CharField(source="persona_id")
    acknowledged_by = PersonSerializer(allow_null=True)
    resolved_by = PersonSerializer(allow_null=True)

    class Meta:
        model = Alert
        fields = (
            "id",
            "use_case",
            "model",
            "version",
            "cause",
            "severity",
            "text",
            "evidence",
            "state",
            "persona",
            "raised_by",
            "opened_run",
            "raised_at",
            "acknowledged_by",
            "acknowledged_at",
            "resolved_by",
            "resolved_at",
            "resolution",
        )


class AlertFilter(Input):
    """Which alerts."""

    state = serializers.ChoiceField(choices=choices(AlertState), required=False)
    model = serializers.CharField(required=False, help_text="name of the model")


class ResolveInput(Input):
    """What was done about it."""

    resolution = serializers.CharField(max_length=10_000)


class AlertAnswer(Output):
    """The alert and its state now."""

    alert = serializers.IntegerField()
    state = serializers.CharField()
