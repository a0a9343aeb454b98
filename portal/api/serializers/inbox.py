"""The inbox."""

from rest_framework import serializers

from portal.api.serializers.base import Output


class InboxRowSerializer(Output):
    """One line: `act` on `act_pk` is what its button does at once, empty where it only opens."""

    noun = serializers.CharField(help_text="gate, item, hand_off, finding or run")
    id = serializers.IntegerField(source="pk")
    asked = serializers.CharField()
    use_case = serializers.CharField(source="run.use_case.key")
    run = serializers.IntegerField(source="run.pk")
    run_label = serializers.CharField(source="run.label")
    persona = serializers.CharField()
    since = serializers.DateTimeField()
    due = serializers.DateTimeField(allow_null=True)
    by = serializers.CharField(allow_blank=True)
    why = serializers.CharField(allow_blank=True)
    act = serializers.CharField(allow_blank=True)
    act_id = serializers.IntegerField(source="act_pk")
    state = serializers.CharField(allow_blank=True)


class SectionSerializer(Output):
    """One heading with its rows; `cut` says that there may be more."""

    key = serializers.CharField()
    title = serializers.CharField()
    cut = serializers.BooleanField()
    rows = InboxRowSerializer(many=True)


class InboxSerializer(Output):
    """The whole inbox; `waiting` counts what asks something of you."""

    now = serializers.DateTimeField()
    waiting = serializers.IntegerField()
    sections = SectionSerializer(many=True)
