"""Business calendars."""

from rest_framework import serializers

from personas.calendars import WEEKDAYS
from personas.models import BusinessCalendar
from portal.api.serializers.base import Input, Output

_HOURS = f"spans such as '09:00-17:00' by weekday ({', '.join(WEEKDAYS)})"


class CalendarSerializer(serializers.ModelSerializer[BusinessCalendar]):
    """When a persona works."""

    persona = serializers.CharField(source="persona_id")
    hours = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), help_text=_HOURS
    )

    class Meta:
        model = BusinessCalendar
        fields = ("persona", "zone", "hours", "holidays")


class CalendarInput(Input):
    """When the persona works from now on."""

    zone = serializers.CharField(help_text="such as Europe/Berlin")
    hours = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), help_text=_HOURS
    )
    holidays = serializers.ListField(child=serializers.DateField(), default=list)


class CalendarAnswer(Output):
    """When the persona works now."""

    persona = serializers.CharField()
    zone = serializers.CharField()
    hours = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    holidays = serializers.ListField(child=serializers.DateField())
