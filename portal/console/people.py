"""People, seats and tokens."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from personas.actions import revoke_token, set_active
from personas.models import Token, User
from pipelines.usecases.actions import end_seat
from pipelines.usecases.models import Seat
from portal.console.base import LookOnly, perform
from portal.console.site import site


@admin.register(User, site=site)
class UserAdmin(LookOnly):
    """People and service accounts."""

    list_display = ("username", "name", "codes", "capabilities", "is_active", "is_service")
    list_filter = ("is_active", "is_service", "personas")
    search_fields = ("username", "name", "email")
    exclude = ("password", "groups", "user_permissions", "is_superuser")
    actions = ("activate", "deactivate")
    buttons = ("activate", "deactivate")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bring the personas along."""
        return super().get_queryset(request).prefetch_related("personas")

    @admin.display(description="personas")
    def codes(self, user: User) -> str:
        """The codes of the person's personas."""
        return ", ".join(persona.code for persona in user.personas.all())

    @admin.action(description="Let sign in", permissions=["view"])
    def activate(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        """Let people sign in again."""
        perform(request, rows, set_active, "user", active=True)

    @admin.action(description="Deactivate", permissions=["view"])
    def deactivate(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        """Keep people from signing in, and their tokens from working."""
        perform(request, rows, set_active, "user", active=False)


@admin.register(Seat, site=site)
class SeatAdmin(LookOnly):
    """Who acts as which persona where."""

    list_display = ("id", "use_case", "user", "persona", "since", "until")
    list_filter = ("persona", ("until", admin.EmptyFieldListFilter))
    list_select_related = ("use_case", "user", "persona")
    search_fields = ("use_case__key", "user__username", "user__name")
    ordering = ("-id",)
    actions = ("end",)
    buttons = ("end",)

    @admin.action(description="End the seat", permissions=["view"])
    def end(self, request: HttpRequest, rows: QuerySet[Seat]) -> None:
        """End seats from now on."""
        perform(request, rows.select_related("use_case", "user"), end_seat, "seat")


@admin.register(Token, site=site)
class TokenAdmin(LookOnly):
    """Bearer tokens; only their hashes are kept, and not even those are shown."""

    list_display = ("name", "user", "prefix", "scopes", "expires_at", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    list_select_related = ("user",)
    search_fields = ("name", "prefix", "user__username", "user__name")
    exclude = ("digest",)
    actions = ("revoke",)
    buttons = ("revoke",)

    @admin.action(description="Revoke", permissions=["view"])
    def revoke(self, request: HttpRequest, rows: QuerySet[Token]) -> None:
        """Make tokens useless at once."""
        perform(request, rows.select_related("user"), revoke_token, "token")
