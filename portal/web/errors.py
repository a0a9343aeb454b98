"""Domain errors as pages, and the three kinds of views.

`page` shows (GET), `change` does (POST), `form_page` is both. Each asks for a signed-in person and
turns a DomainError into a page (or, for htmx, its fragment) that says what, by whom, when, and
gives a way on.
"""

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods

from personas.commands import away
from personas.errors import (
    Busy,
    Conflict,
    DomainError,
    Gone,
    Invalid,
    NotAllowed,
    NotFound,
)
from pipelines.artefacts.storage import AlteredContent, MissingContent, StorageError
from portal.uploads import TooLarge
from portal.web.forms import return_path

logger = logging.getLogger(__name__)

View = Callable[..., HttpResponseBase]
RETRY_SECONDS = "2"

# Kind -> its name, HTTP status and headline; the first that fits counts.
KINDS: Final[Mapping[type[DomainError], tuple[str, int, str]]] = {
    NotAllowed: ("not_allowed", 403, "You may not do this"),
    NotFound: ("not_found", 404, "Not found"),
    Conflict: ("conflict", 409, "This has moved on"),
    Gone: ("gone", 410, "This is closed"),
    Invalid: ("invalid", 422, "Some input needs another look"),
    TooLarge: ("too_large", 413, "This file is too large"),
    Busy: ("busy", 503, "Somebody else is changing this right now"),
}


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Return the page, or for htmx the fragment, that a domain error becomes."""
    name, status, title = KINDS.get(type(error), ("error", 400, "This could not be done"))
    way_on = return_path(request) if request.method == "POST" else ""
    context = {
        "kind": name,
        "title": title,
        "message": error.message,
        "code": error.code,
        "fields": getattr(error, "fields", {}),
        "by": error.data.get("by"),
        "at": error.data.get("at"),
        "state": error.data.get("state"),
        "way_on": way_on,
        "way_on_label": "Try again" if name == "busy" else "Show the current state",
    }
    hx = getattr(request, "htmx", None)
    fragment = hx is not None and bool(hx) and not hx.boosted
    template = "components/refused.html" if fragment else "error.html"
    answer = render(request, template, context, status=status)
    patch_vary_headers(answer, ["HX-Request"])
    if name == "busy":
        answer["Retry-After"] = RETRY_SECONDS
    return answer


def _guarded(view: View, methods: list[str]) -> View:
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            _refuse_nulls(request)
            return view(request, *args, **kwargs)
        except DomainError as error:
            return refusal(request, error)
        except (MissingContent, AlteredContent):
            raise
        except StorageError as error:
            # Its text may name folders of the machine.
            logger.error("the artefact store: %s", error)
            told = "The artefact store is full or does not answer; try again soon."
            return refusal(request, Busy("storage", told))

    guarded: View = require_http_methods(methods)(login_required(answer))
    return guarded


def _refuse_nulls(request: HttpRequest) -> None:
    """Raise Invalid for texts that no table can hold."""
    posted = request.POST if request.method == "POST" else QueryDict()
    found = {
        name.replace("\0", ""): ["holds the character U+0000, which no text may contain"]
        for given in (request.GET, posted)
        for name, values in given.lists()
        if any("\0" in text for text in (name, *values))
    }
    if found:
        raise Invalid("Some input needs another look.", fields=found)


def page(view: View) -> View:
    """A view that only shows."""
    return _guarded(view, ["GET", "HEAD"])


def change(view: View) -> View:
    """A view that only changes: POST, then usually `forms.done`."""
    return _guarded(view, ["POST"])


def form_page(view: View) -> View:
    """A view that shows a form and takes it."""
    return _guarded(view, ["GET", "HEAD", "POST"])


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that leads nowhere."""
    return refusal(request, NotFound("address", f"There is nothing at {request.path}."))


def broken(request: HttpRequest) -> HttpResponse:
    """A defect of Baton itself; nothing was changed, as each command is one transaction."""
    context = {
        "kind": "error",
        "title": "Something broke on our side",
        "message": "Nothing was changed. Try again; if it stays, tell your DevOps.",
    }
    return render(request, "error.html", context, status=500)


class Away:
    """Answers 503 where the database is away or takes no writes; the API says so in its own form.

    Its page asks nothing of the database: not who looks, and not what waits for them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Return the page for an error of a database that may be back soon; None for others."""
        if not isinstance(exception, DatabaseError | InterfaceError) or not away(exception):
            return None
        logger.warning("the database does not serve: %s", exception)
        looking = request.method in ("GET", "HEAD")
        answer = HttpResponse(render_to_string("away.html", {"looking": looking}), status=503)
        answer["Retry-After"] = RETRY_SECONDS
        return answer


def forgery(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token does not match: an old page, or another site."""
    return refusal(
        request,
        NotAllowed("csrf", "This page was open too long or came from elsewhere; load it again."),
    )
