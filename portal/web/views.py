"""The views of board and portfolio that a person keeps: links with a name."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from personas.models import User
from pipelines.usecases.actions import remove_view, save_view, view_query
from pipelines.usecases.models import SavedView
from pipelines.usecases.queries import saved_views
from portal import access
from portal.web.errors import change
from portal.web.forms import actor_of, done, key_of, text_of, user_of

PLACES = {"board": "web:board", "portfolio": "web:use_cases"}


@dataclass(frozen=True)
class Views:
    """The views of a page, and the query that would be kept now; `current`: the one looked at."""

    page: str
    query: str
    rows: tuple[tuple[SavedView, str], ...]
    current: int | None


def kept(user: User, page: str, given: QueryDict) -> Views:
    """Return the person's views of a page with their addresses; one query."""
    query = view_query(page, urlencode(given.dict()))
    rows = tuple((view, _address(view.page, view.query)) for view in saved_views(user, page))
    current = next((view.pk for view, _place in rows if view.query == query), None)
    return Views(page, query, rows, current)


def _address(page: str, query: str) -> str:
    return reverse(PLACES[page]) + (f"?{query}" if query else "")


@change
def save(request: HttpRequest) -> HttpResponse:
    """Keep what the page shows now under a name."""
    answer = save_view(
        actor=actor_of(request),
        page=text_of(request, "page"),
        name=text_of(request, "name"),
        query=text_of(request, "query"),
        key=key_of(request),
    )
    to = _address(answer.data["page"], answer.data["query"])
    return done(request, answer, _("The view is kept."), to=to)


@change
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a view."""
    view = access.view_for(user_of(request), pk)
    answer = remove_view(actor=actor_of(request), view=view, key=key_of(request))
    return done(request, answer, _("The view is removed."), to=reverse(PLACES[view.page]))
