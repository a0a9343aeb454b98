"""What every endpoint shares: who asks, under which key, and how it is answered."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, cast

from django.db.models import Model, QuerySet
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.views import APIView

from personas.commands import Answer
from personas.errors import Invalid
from personas.ledger import Actor
from personas.models import User
from portal.api.auth import BearerAuthentication, HasScope
from portal.api.pagination import Pages
from portal.api.parsers import StrictJSONParser
from portal.api.schema import Schema
from portal.uploads import TooLarge

LONGEST_KEY = 200
LONGEST_BODY = 10 * 1024 * 1024
PAGE_PARAMETERS = frozenset({"cursor", "page_size"})


class Endpoint(APIView):
    """One address of the API; `scopes` names the token scope of a method where it is no default."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (
        BearerAuthentication,
        SessionAuthentication,
    )
    permission_classes: Sequence[Any] = (IsAuthenticated, HasScope)
    parser_classes: Sequence[type[BaseParser]] = (StrictJSONParser,)
    pagination_class = Pages  # for the schema; `page` uses it
    schema = Schema()
    scopes: ClassVar[Mapping[str, str]] = {}
    longest_body: ClassVar[int] = LONGEST_BODY

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the person, the scope, and that the body is no flood. Raises TooLarge."""
        super().initial(request, *args, **kwargs)
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        if size > self.longest_body:
            raise TooLarge(
                "body_too_large",
                f"The body has {size} bytes; the limit here is {self.longest_body}.",
                limit_bytes=self.longest_body,
                size_bytes=size,
            )

    @property
    def user(self) -> User:
        """The person who asks."""
        return cast(User, self.request.user)

    @property
    def actor(self) -> Actor:
        """The person as an actor of commands."""
        return Actor.person(self.user)

    @property
    def key(self) -> str | None:
        """The request's Idempotency-Key. Raises Invalid for one that is too long."""
        key = self.request.headers.get("Idempotency-Key", "").strip()
        if len(key) > LONGEST_KEY:
            raise Invalid(
                "The Idempotency-Key is too long.",
                fields={"Idempotency-Key": [f"has {len(key)} characters; at most {LONGEST_KEY}"]},
            )
        return key or None

    def read(self, form: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the body as the form cleans it. Raises ValidationError with all fields."""
        data = self.request.data
        if not isinstance(data, Mapping):
            raise ValidationError({"body": [f"must be a JSON object, got {type(data).__name__}"]})
        given = form(data=data, context={"request": self.request})
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def query(self, form: type[Serializer[Any]]) -> dict[str, Any]:
        """Return the address's parameters as the form cleans them; unknown ones are refused."""
        asked = {k: v for k, v in self.request.query_params.items() if k not in PAGE_PARAMETERS}
        given = form(data=asked)
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def page(
        self,
        rows: QuerySet[Any],
        shape: type[BaseSerializer[Any]],
        *,
        ordering: str = "-id",
    ) -> Response:
        """Answer one page of rows, ordered by a unique column."""
        pages = Pages()
        pages.ordering = ordering
        found = pages.paginate_queryset(rows, self.request, view=self)
        return pages.get_paginated_response(shape(found, many=True, context=self.context()).data)

    def show(self, row: Model | object, shape: type[BaseSerializer[Any]]) -> Response:
        """Answer one thing."""
        return Response(shape(row, context=self.context()).data)

    def context(self) -> dict[str, Any]:
        """What serializers may need to know."""
        return {"request": self.request, "user": self.request.user}

    def reply(self, answer: Answer, *, status: int = 200, location: str = "") -> Response:
        """Answer what a command did; a replay says so in a header."""
        headers = {"Location": location} if location else {}
        if answer.replayed:
            headers["Idempotent-Replay"] = "true"
        return Response(answer.data, status=status, headers=headers)


class AnyMedia(BaseContentNegotiation):
    """For addresses that answer one kind of content, whatever the Accept header says."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """Return the first parser."""
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Return the first renderer."""
        first = next(iter(renderers))
        return first, first.media_type
