"""The ML Test Score and the worries."""

from rest_framework import serializers

from portal.api.serializers.base import Output


class SectionSerializer(Output):
    """One of the four sections."""

    key = serializers.CharField()
    title = serializers.CharField()
    points = serializers.FloatField()
    most = serializers.IntegerField()


class ReadinessTestSerializer(Output):
    """One of the 28 tests: 1 computed on each run, 0.5 stated or weighed by people, else 0."""

    id = serializers.CharField(source="test.id")
    section = serializers.CharField(source="test.section")
    title = serializers.CharField(source="test.title")
    persona = serializers.CharField(source="test.persona", help_text="who can earn it")
    points = serializers.FloatField(source="finding.points")
    evidence = serializers.CharField(source="finding.text")
    noun = serializers.CharField(source="finding.noun", help_text="what shows it: gate, run, ...")
    ref = serializers.CharField(source="finding.pk", help_text="its id, or a model's name")
    next = serializers.CharField(help_text="what would earn the point; empty where it is earned")


class WorrySerializer(Output):
    """One of the 26 worries, with what was found."""

    id = serializers.CharField(source="worry.id")
    column = serializers.CharField(source="worry.column")
    title = serializers.CharField(source="worry.title")
    level = serializers.CharField(help_text="clear, note, warn, blocker or not looked at")
    text = serializers.CharField()


class ReadinessSerializer(Output):
    """The minimum over the sections, with what it rests on."""

    score = serializers.FloatField()
    band = serializers.CharField(source="result.band")
    run = serializers.IntegerField(source="run.pk", allow_null=True, default=None)
    sections = SectionSerializer(many=True)
    tests = ReadinessTestSerializer(many=True)
    worries = WorrySerializer(many=True)
