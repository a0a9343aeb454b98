"""Events of the ledger."""

from rest_framework import serializers

from personas.models import Event
from portal.api.serializers.base import Input, Output


class EventSerializer(serializers.ModelSerializer[Event]):
    """Who did what to which, when, under which command; `digest` covers all of it."""

    stream = serializers.CharField()

    class Meta:
        model = Event
        fields = (
            "id",
            "stream",
            "seq",
            "type",
            "actor_kind",
            "actor",
            "actor_name",
            "command",
            "at",
            "subject",
            "subject_id",
            "before",
            "after",
            "data",
            "previous",
            "digest",
        )


class LedgerFilter(Input):
    """Which stream."""

    stream = serializers.CharField(
        default="", allow_blank=True, help_text="kind:key, such as run:3; every one you may read"
    )
    type = serializers.CharField(
        default="", allow_blank=True, help_text="gate, or gate.approve: how the type begins"
    )
    person = serializers.CharField(default="", allow_blank=True, help_text="part of the name")


class BreakSerializer(Output):
    """The first row at which a chain does not hold."""

    stream = serializers.CharField()
    seq = serializers.IntegerField()
    rule = serializers.CharField()
    expected = serializers.CharField()
    found = serializers.CharField()


class VerifyAnswer(Output):
    """Whether every chain and seal holds, and where the first one does not."""

    holds = serializers.BooleanField()
    first_break = BreakSerializer(allow_null=True)
