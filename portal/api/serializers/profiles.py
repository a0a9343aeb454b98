"""Profiles, colleagues and the persona map."""

from datetime import timedelta

from rest_framework import serializers

from personas.profiles import EXPERT
from pipelines.runs.queries.people import Passing
from portal.api.serializers.base import Input, Output, PersonSerializer


class ProfileInput(Input):
    """What to change of oneself."""

    name = serializers.CharField(required=False, max_length=120)
    email = serializers.CharField(required=False, allow_blank=True, max_length=254)
    time_zone = serializers.CharField(
        required=False, max_length=60, help_text="such as Europe/Berlin"
    )
    language = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=8,
        help_text="of the pages: en, de; empty as the browser asks",
    )
    ml_point = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=EXPERT
    )
    deployment_point = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=EXPERT
    )


class ProfileAnswer(Output):
    """What was changed."""

    user = serializers.IntegerField()
    changed = serializers.ListField(child=serializers.CharField())


class PasswordInput(Input):
    """The password that is known now, and the new one."""

    current = serializers.CharField(max_length=200, trim_whitespace=False)
    new = serializers.CharField(max_length=200, trim_whitespace=False)


class OneselfAnswer(Output):
    """Whose it was."""

    user = serializers.IntegerField()


class RangesInput(Input):
    """Expertise ranges, in points; on either axis low <= point <= high."""

    ml_low = serializers.IntegerField(required=False, min_value=0, max_value=EXPERT)
    ml_point = serializers.IntegerField(required=False, min_value=0, max_value=EXPERT)
    ml_high = serializers.IntegerField(required=False, min_value=0, max_value=EXPERT)
    deployment_low = serializers.IntegerField(required=False, min_value=0, max_value=EXPERT)
    deployment_point = serializers.IntegerField(required=False, min_value=0, max_value=EXPERT)
    deployment_high = serializers.IntegerField(required=False, min_value=0, max_value=EXPERT)


class StandSerializer(Output):
    """Where a person stands, in points."""

    person = PersonSerializer()
    persona = serializers.CharField()
    ml = serializers.IntegerField()
    deployment = serializers.IntegerField()


class PassingSerializer(Output):
    """Hand-offs between two personas that people answered in the last days."""

    giver = serializers.CharField()
    receiver = serializers.CharField()
    count = serializers.IntegerField()
    returned = serializers.IntegerField()
    median_wait_seconds = serializers.SerializerMethodField()

    def get_median_wait_seconds(self, passing: Passing) -> float:
        """Return the median time from offer to answer."""
        return passing.wait / timedelta(seconds=1)


class MapSerializer(Output):
    """Points of people, people by persona, hand-offs."""

    days = serializers.IntegerField()
    people = serializers.DictField(child=serializers.IntegerField())
    points = StandSerializer(many=True)
    passings = PassingSerializer(many=True)
    clipped = serializers.BooleanField(help_text="more people say where they stand")


class ColleaguesQuery(Input):
    """Which people."""

    word = serializers.CharField(
        required=False, max_length=120, default="", help_text="part of a name"
    )
    persona = serializers.CharField(required=False, max_length=8, default="")
    after = serializers.IntegerField(required=False, min_value=1, default=None, allow_null=True)
    away = serializers.BooleanField(required=False, default=False, help_text="away now")


class DeputySerializer(Output):
    """Who acts for somebody."""

    person = PersonSerializer()
    persona = serializers.CharField()
    use_case = serializers.CharField(source="use_case.key", allow_null=True, default=None)


class ColleagueSerializer(Output):
    """A person; seats are those of the use cases you may see."""

    person = PersonSerializer()
    personas = serializers.ListField(child=serializers.CharField())
    seats = serializers.IntegerField()
    away_until = serializers.DateTimeField(allow_null=True)
    deputies = DeputySerializer(many=True)


class ColleaguesSerializer(Output):
    """A page of people."""

    results = ColleagueSerializer(many=True, source="rows")
    after = serializers.IntegerField(allow_null=True, help_text="where the next page begins")
