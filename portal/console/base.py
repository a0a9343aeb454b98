"""What every table of the console shares: looked at, never edited; acts through the domain."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from personas.commands import Answer
from personas.errors import DomainError
from personas.ledger import Actor
from personas.models import User

Act = Callable[..., Answer]

if TYPE_CHECKING:
    Table = admin.ModelAdmin[Any]
else:  # Django's class takes no parameters when it runs
    Table = admin.ModelAdmin


class LookOnly(Table):
    """A table that shows rows; `buttons` names the actions a row's page offers."""

    buttons: ClassVar[Sequence[str]] = ()
    actions_on_top = True
    list_per_page = 50
    show_full_result_count = False
    change_form_template = "console/row.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds rows here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits rows here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes rows here."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may enter the console sees its tables."""
        return self.admin_site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may enter the console sees its tables."""
        return self.admin_site.has_permission(request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one row with its buttons; each posts the action for this row alone."""
        offered = [
            {"name": name, "label": action[2]}
            for name, action in self.get_actions(request).items()
            if action is not None and name in self.buttons
        ]
        place = reverse(f"console:{self.opts.app_label}_{self.opts.model_name}_changelist")
        extra = {"buttons": offered, "buttons_to": place, "row": object_id}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **extra})


def perform(request: HttpRequest, rows: QuerySet[Any], act: Act, noun: str, **given: Any) -> None:
    """Let the domain act on each row, and show what it answered or why it refused."""
    user = request.user
    if not isinstance(user, User):
        return
    for row in rows:
        try:
            answer = act(actor=Actor.person(user), **{noun: row}, **given)
        except DomainError as error:
            messages.error(request, f"{row}: {error.message} [{error.code}]")
        else:
            state = answer.data.get("state", "")
            messages.success(request, f"{row}: done{f', now {state}' if state else ''}.")


def with_reason(
    request: HttpRequest, rows: QuerySet[Any], act: Act, noun: str, *, action: str, label: str
) -> HttpResponse | None:
    """Ask for a reason first; then let the domain act on each row."""
    reason = request.POST.get("reason")
    if reason is not None:
        perform(request, rows, act, noun, reason=reason)
        return None
    context = {
        "title": label,
        "rows": list(rows),
        "action": action,
        "label": label,
        "opts": rows.model._meta,
    }
    return TemplateResponse(request, "console/reason.html", context)
