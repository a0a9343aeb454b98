"""Business calendars and the reminders that are counted in them."""

from datetime import date

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from personas.actions import change_calendar
from personas.calendars import WEEKDAYS
from personas.models import BusinessCalendar
from pipelines.runs.models import Reminder
from portal.console.base import LookOnly, perform
from portal.console.site import site


@admin.register(BusinessCalendar, site=site)
class BusinessCalendarAdmin(LookOnly):
    """When each persona works."""

    list_display = ("persona", "zone", "week", "free_days")
    list_select_related = ("persona",)
    search_fields = ("persona__code", "persona__title", "zone")
    ordering = ("persona__lane",)
    actions = ("alter",)
    buttons = ("alter",)

    @admin.display(description="hours")
    def week(self, calendar: BusinessCalendar) -> str:
        """The opening hours by weekday, in one line."""
        return "; ".join(
            f"{day} {', '.join(calendar.hours[day])}" for day in WEEKDAYS if calendar.hours.get(day)
        )

    @admin.display(description="holidays")
    def free_days(self, calendar: BusinessCalendar) -> int:
        """How many holidays it knows."""
        return len(calendar.holidays)

    @admin.action(description="Change hours, zone and holidays", permissions=["view"])
    def alter(self, request: HttpRequest, rows: QuerySet[BusinessCalendar]) -> HttpResponse | None:
        """Ask for the new hours first, filled in with the present ones; then change calendars."""
        first = rows.first()
        if first is None:
            return None
        if "zone" not in request.POST:
            return self._form(request, rows, first)
        holidays, wrong = _days(request.POST.get("holidays", ""))
        if wrong:
            messages.error(request, f"No dates such as 2026-12-24: {', '.join(wrong)}")
            return self._form(request, rows, first)
        hours = {
            day: [text.strip() for text in request.POST.get(day, "").split(",") if text.strip()]
            for day in WEEKDAYS
        }
        zone = request.POST["zone"].strip()
        given = {"zone": zone, "hours": hours, "holidays": holidays}
        perform(request, rows, change_calendar, "calendar", **given)
        return None

    def _form(
        self, request: HttpRequest, rows: QuerySet[BusinessCalendar], first: BusinessCalendar
    ) -> HttpResponse:
        posted = request.POST
        days = "\n".join(day.isoformat() for day in sorted(first.holidays))
        context = {
            "title": "Change when they work",
            "rows": list(rows),
            "action": "alter",
            "zone": posted.get("zone", first.zone),
            "week": [
                (day, posted.get(day, ", ".join(first.hours.get(day, [])))) for day in WEEKDAYS
            ],
            "holidays": posted.get("holidays", days),
            "opts": self.opts,
        }
        return TemplateResponse(request, "console/calendar.html", context)


def _days(text: str) -> tuple[list[date], list[str]]:
    """Return the dates of a text, and the words that are none."""
    found, wrong = [], []
    for word in text.replace(",", " ").split():
        try:
            found.append(date.fromisoformat(word))
        except ValueError:
            wrong.append(word)
    return found, wrong


@admin.register(Reminder, site=site)
class ReminderAdmin(LookOnly):
    """Reminders, the next first."""

    list_display = ("id", "run", "noun", "subject_id", "percent", "at", "told_at", "dropped_at")
    list_filter = (
        "noun",
        "percent",
        ("told_at", admin.EmptyFieldListFilter),
        ("dropped_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("run__use_case",)
    search_fields = ("run__use_case__key",)
    ordering = ("-at",)
