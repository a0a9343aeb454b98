"""Who asks: a bearer token with scopes, or the session of a signed-in person."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from personas.actions import note_token_use
from personas.errors import NotAllowed
from personas.models import Token, User
from personas.queries import token_for

REALM = 'Bearer realm="baton"'


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer baton_...`; only the token's hash is known here."""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        """Return the person and the token, or None without such a header. Raises 401."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("The header must read: Authorization: Bearer <token>.")
        token = token_for(words[1].decode("latin-1"))
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        if request.method not in SAFE_METHODS:
            note_token_use(token)  # a GET changes nothing, not even this
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return REALM


class HasScope(BasePermission):
    """A token can do only what its scopes say; a session is bound by rights alone."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the request's token covers its method. Raises NotAllowed naming the scope."""
        token = request.auth
        if not isinstance(token, Token):
            return True
        wanted = scope_of(view, request.method or "GET")
        if wanted in token.scopes:
            return True
        raise NotAllowed(
            f"scope.{wanted}",
            f"This needs a token with the scope {wanted!r};"
            f" {token} has {', '.join(token.scopes) or 'none'}.",
        )


def scope_of(view: Any, method: str) -> str:
    """Return the scope a method of an endpoint needs: reads read, changes write, or its own."""
    if method in SAFE_METHODS:
        return "read"
    own: dict[str, str] = getattr(view, "scopes", {})
    return own.get(method, "write")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema names bearer tokens."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the scheme's definition."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token from `POST /api/v1/tokens`, with scopes.",
        }
