"""What the monitor shows."""

from rest_framework import serializers

from portal.api.serializers.alerts import AlertSerializer
from portal.api.serializers.base import Output


class WindowOutput(Output):
    """A measured window: by which run, and until which event."""

    run = serializers.IntegerField()
    label = serializers.CharField()
    until = serializers.DateTimeField()
    rows = serializers.IntegerField()


class DriftOutput(Output):
    """One column in one window against the limit of its size."""

    window = WindowOutput()
    column = serializers.CharField()
    psi = serializers.FloatField()
    limit = serializers.FloatField()
    level = serializers.CharField()
    shift = serializers.FloatField(allow_null=True)


class QualityOutput(Output):
    """The metric on late labels in one window, and the worth of 1,000 answers."""

    window = WindowOutput()
    metric = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    control = serializers.FloatField(allow_null=True)
    reference = serializers.FloatField(allow_null=True)
    higher_is_better = serializers.BooleanField()
    labelled = serializers.IntegerField()
    missing = serializers.IntegerField()
    lag_hours = serializers.FloatField(allow_null=True)
    worth = serializers.FloatField(allow_null=True)
    worth_low = serializers.FloatField(allow_null=True)
    worth_high = serializers.FloatField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)


class DayOutput(Output):
    """What was answered on one day of event time (UTC)."""

    day = serializers.DateField()
    rows = serializers.IntegerField()
    by_model = serializers.IntegerField()
    by_fallback = serializers.IntegerField()
    failed = serializers.IntegerField()
    labelled = serializers.IntegerField()
    unlabelled = serializers.IntegerField()
    mean_score = serializers.FloatField(allow_null=True)
    p50_seconds = serializers.FloatField(allow_null=True)
    p95_seconds = serializers.FloatField(allow_null=True)


class MonitorSerializer(Output):
    """How a use case's model fares in use."""

    use_case = serializers.CharField(source="use_case.key")
    model = serializers.CharField(source="model.name", allow_null=True, default=None)
    live_version = serializers.IntegerField(source="live.number", allow_null=True, default=None)
    now = serializers.DateTimeField()
    drift = DriftOutput(many=True)
    quality = QualityOutput(many=True)
    days = DayOutput(many=True, source="traffic.days")
    days_are_cut = serializers.BooleanField(source="traffic.is_cut")
    open_alerts = serializers.IntegerField()
    alerts = AlertSerializer(many=True, source="alert_rows")
