"""The schema, the interactive documents, and the answer where nothing is."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from personas.errors import NotFound
from portal.api.endpoint import Endpoint


class SchemaView(SpectacularAPIView):
    """The OpenAPI schema, for everybody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def _get_schema_response(self, request: Request) -> Response:
        return Response(document())


@cache
def document() -> dict[str, Any]:
    """Return the schema; the addresses of a process never change, so it is made once."""
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


@require_safe
@ensure_csrf_cookie
def docs(request: HttpRequest) -> HttpResponse:
    """The interactive documents; the CSRF cookie lets a signed-in person try changes, too."""
    return render(request, "api/docs.html")


class Unknown(Endpoint):
    """Every other address under the API: not found, whatever the method."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raise NotFound, with a hint where only a slash is too much."""
        hint = " Addresses here end without a slash." if request.path.endswith("/") else ""
        raise NotFound("address", f"There is nothing at {request.path}.{hint}")
