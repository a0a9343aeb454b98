"""A verb on a thing as an endpoint: fetch and check, read the body, one action, answer."""

from collections.abc import Callable
from functools import partial
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from personas.commands import Answer
from personas.models import User
from portal.api.endpoint import Endpoint
from portal.api.serializers.base import Nothing


def verb(
    name: str,
    *,
    noun: str,
    fetch: Callable[[User, int], Any],
    action: Callable[..., Answer],
    answer: type[Serializer[Any]],
    body: type[Serializer[Any]] = Nothing,
    scope: str = "write",
) -> type[Endpoint]:
    """Return the endpoint class `name`: POST lets `action` act on `fetch`'s thing as `noun`.

    The body's fields are the action's keyword arguments; its first docstring line is the summary.
    """

    class Verb(Endpoint):
        scopes = {"POST": scope}

        @extend_schema(
            summary=_summary(action),
            request=None if body is Nothing else body,
            responses=answer,
        )
        def post(self, request: Request, pk: int) -> Response:
            thing = fetch(self.user, pk)
            given = self.read(body)
            return self.reply(action(actor=self.actor, key=self.key, **{noun: thing}, **given))

    Verb.__name__ = Verb.__qualname__ = name
    Verb.__doc__ = _summary(action)
    return Verb


def _summary(action: Callable[..., Answer]) -> str:
    """The first line of the action's docstring, without what it raises: the statuses say that."""
    told = action.func if isinstance(action, partial) else action
    return (told.__doc__ or "").strip().splitlines()[0].split(" Raises ")[0]
