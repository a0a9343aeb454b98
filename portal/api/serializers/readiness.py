"""Readiness: the ML Test Score from evidence, and the worries."""

from rest_framework import serializers

from portal.api.serializers.base import Output


class SectionScore(Output):
    """The points of one of the four sections."""

    key = serializers.CharField()
    title = serializers.CharField()
    points = serializers.FloatField()
    most = serializers.IntegerField()


class TestScore(Output):
    """One test: its points, the evidence for them, and what would earn the next."""

    id = serializers.CharField(source="test.id")
    section = serializers.CharField(source="test.section")
    title = serializers.CharField(source="test.title")
    persona = serializers.CharField(source="test.persona")
    points = serializers.FloatField(source="finding.points")
    evidence = serializers.CharField(source="finding.text", allow_blank=True)
    noun = serializers.CharField(source="finding.noun", allow_blank=True)
    noun_id = serializers.CharField(source="finding.pk")
    next = serializers.CharField(allow_blank=True, help_text="empty where the point is earned")


class WorrySerializer(Output):
    """One of the 26 worries: its level, and what was found."""

    id = serializers.CharField(source="worry.id")
    title = serializers.CharField(source="worry.title")
    column = serializers.CharField(source="worry.group", help_text="one of six")
    detector = serializers.CharField(source="worry.detector")
    alarm = serializers.CharField(source="worry.alarm")
    threshold_class = serializers.CharField(source="worry.threshold_class")
    level = serializers.CharField(
        help_text="blocker, warn, note, clear, not enough data, not looked at or does not apply"
    )
    text = serializers.CharField(allow_blank=True)
    columns = serializers.ListField(child=serializers.CharField(), help_text="of the data")
    rows = serializers.IntegerField(allow_null=True, help_text="most rows that one finding names")
    examples = serializers.ListField(
        child=serializers.JSONField(), help_text="a few rows: number from 1, key, value"
    )
    do = serializers.CharField(allow_blank=True, help_text="what to do; empty where nothing is")
    meaning = serializers.DictField(
        child=serializers.CharField(), help_text="what it means, by persona code"
    )


class ReadinessSerializer(Output):
    """The score is the least of the sections (0 to 7); `run` is the one whose evidence counts."""

    use_case = serializers.CharField(source="use_case.key")
    run = serializers.IntegerField(source="run.pk", allow_null=True, default=None)
    score = serializers.FloatField()
    band = serializers.CharField(source="result.band")
    sections = SectionScore(many=True)
    tests = TestScore(many=True)
    next_test = serializers.CharField(
        source="result.easiest.test.id",
        allow_null=True,
        default=None,
        help_text="the next test to automate: it lacks least, in the weakest section",
    )
    worries = WorrySerializer(many=True)
