"""The admin site itself: who gets in, and its first page."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse

from personas.models import User
from personas.queries import last_seal
from pipelines.runs.queries.verification import last_verified
from pipelines.runs.queries.workshop import workshop


class ConsoleSite(AdminSite):
    """For staff who hold `operations.manage`."""

    site_title = "Baton console"
    site_header = "Baton console"
    index_title = "Workshop"
    index_template = "console/index.html"
    site_url = "/"
    enable_nav_sidebar = True
    empty_value_display = ""

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may enter; rights on single rows are the actions' to judge."""
        user = request.user
        return isinstance(user, User) and user.is_staff and user.can("operations.manage")

    def get_urls(self) -> list[Any]:
        """Leave out the change of passwords, which is no page of the console."""
        urls = super().get_urls()
        return [url for url in urls if not str(getattr(url, "name", "")).startswith("password_")]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show workers, queues, runs, what is lost and stuck, the last seal, the invariants."""
        figures = {
            "workshop": workshop(),
            "seal": last_seal(),
            "verified": last_verified(),
            "verified_full": last_verified("full"),
        }
        return super().index(request, {**(extra_context or {}), **figures})


site = ConsoleSite(name="console")
