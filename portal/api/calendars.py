"""When each persona works: what deadlines and reminders are counted in."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from personas.actions import change_calendar
from personas.models import BusinessCalendar
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.calendars import CalendarAnswer, CalendarInput, CalendarSerializer


class Calendars(Endpoint):
    """The business calendars."""

    @extend_schema(summary="When each persona works", responses=CalendarSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Answer all calendars."""
        return self.page(BusinessCalendar.objects.all(), CalendarSerializer, ordering="pk")


class Calendar(Endpoint):
    """One persona's business calendar."""

    @extend_schema(summary="When a persona works", responses=CalendarSerializer)
    def get(self, request: Request, code: str) -> Response:
        """Answer the calendar."""
        return self.show(access.calendar_of(code), CalendarSerializer)

    @extend_schema(
        summary="Change when a persona works", request=CalendarInput, responses=CalendarAnswer
    )
    def put(self, request: Request, code: str) -> Response:
        """Change it; takes operations.manage. Deadlines that are set already stay."""
        calendar = access.calendar_of(code)
        given = self.read(CalendarInput)
        return self.reply(
            change_calendar(actor=self.actor, calendar=calendar, key=self.key, **given)
        )
