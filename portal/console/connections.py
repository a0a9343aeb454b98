"""Named connections: add one, change it, forget it. The secret itself is never here."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from personas.errors import DomainError, Invalid
from personas.ledger import Actor
from personas.models import User
from pipelines.artefacts.connections import drop, hold
from pipelines.artefacts.models import Connection
from pipelines.operations.fetch.address import EXAMPLES, KINDS
from portal.console.base import LookOnly, perform
from portal.console.site import site

FIELDS = ("name", "kind", "address", "secret_name")


@admin.register(Connection, site=site)
class ConnectionAdmin(LookOnly):
    """Ways to data outside."""

    list_display = ("name", "kind", "address", "secret_name", "open_to", "changed_at")
    list_filter = ("kind",)
    search_fields = ("name", "address")
    ordering = ("name",)
    actions = ("alter", "forget")
    buttons = ("alter", "forget")
    change_list_template = "console/connections.html"

    @admin.display(description="use cases")
    def open_to(self, connection: Connection) -> str:
        """The use cases whose runs may read through it."""
        return ", ".join(connection.use_cases) or "none"

    def get_urls(self) -> list[URLPattern]:
        """Add the form for a new connection, or for the one that `name` says."""
        form = self.admin_site.admin_view(self.ask)
        return [path("hold/", form, name="artefacts_connection_hold"), *super().get_urls()]

    @admin.action(description="Change", permissions=["view"])
    def alter(self, request: HttpRequest, rows: QuerySet[Connection]) -> HttpResponse | None:
        """Lead to the form of the first row."""
        first = rows.first()
        if first is None:
            return None
        return HttpResponseRedirect(
            f"{reverse('console:artefacts_connection_hold')}?name={first.pk}"
        )

    @admin.action(description="Forget", permissions=["view"])
    def forget(self, request: HttpRequest, rows: QuerySet[Connection]) -> None:
        """Forget connections; what was read through them stays."""
        perform(request, rows, drop, "connection")

    def ask(self, request: HttpRequest) -> HttpResponse:
        """Ask for a connection and hold it; what is wrong is shown beside what was typed."""
        user = request.user
        given = {name: request.POST.get(name, "").strip() for name in FIELDS}
        use_cases = request.POST.get("use_cases", "").replace(",", " ").split()
        problems: dict[str, list[str]] = {}
        if request.method == "POST" and isinstance(user, User):
            try:
                hold(
                    actor=Actor.person(user),
                    name=given["name"],
                    kind=given["kind"],
                    address=given["address"],
                    secret_name=given["secret_name"],
                    use_cases=use_cases,
                )
            except Invalid as error:
                problems = dict(error.fields)
            except DomainError as error:
                messages.error(request, f"{error.message} [{error.code}]")
            else:
                messages.success(request, f"{given['name']}: done.")
                return HttpResponseRedirect(reverse("console:artefacts_connection_changelist"))
        elif known := Connection.objects.filter(pk=request.GET.get("name", "")).first():
            given = {name: getattr(known, name) for name in FIELDS}
            use_cases = known.use_cases
        context = {
            **self.admin_site.each_context(request),
            "title": "Hold a connection",
            "given": given,
            "use_cases": " ".join(use_cases),
            "kinds": KINDS,
            "examples": EXAMPLES,
            "problems": problems,
            "opts": self.opts,
        }
        return TemplateResponse(request, "console/connection.html", context)
