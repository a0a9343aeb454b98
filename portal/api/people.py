"""Who am I, who else is there, and the tokens we use."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from personas.actions import create_user, issue_token, revoke_token, set_active, show_tour
from personas.errors import NotAllowed
from personas.models import Persona, Token, User
from pipelines.runs.queries.clock import now
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.people import (
    ActiveAnswer,
    MeSerializer,
    NewTokenSerializer,
    PersonaSerializer,
    TokenAnswer,
    TokenInput,
    TokenSerializer,
    TourAnswer,
    TourInput,
    UserAnswer,
    UserInput,
    UserSerializer,
)
from portal.api.verbs import verb


class Me(Endpoint):
    """The person who asks."""

    @extend_schema(summary="Who you are, and what you may do", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Answer the person who asks."""
        return self.show(self.user, MeSerializer)


class Tour(Endpoint):
    """The tour of one's first pages."""

    @extend_schema(
        summary="Show your tour of the first pages again, or put it away",
        request=TourInput,
        responses=TourAnswer,
    )
    def post(self, request: Request) -> Response:
        """Show it, or put it away."""
        given = self.read(TourInput)
        return self.reply(show_tour(actor=self.actor, shown=given["shown"], key=self.key))


class Personas(Endpoint):
    """The kinds of people."""

    @extend_schema(summary="The personas", responses=PersonaSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Answer all personas, in the order of their lanes."""
        return self.page(Persona.objects.all(), PersonaSerializer, ordering="lane")


class Users(Endpoint):
    """People and service accounts."""

    @extend_schema(summary="People, by name", responses=UserSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Answer a page of people."""
        return self.page(access.people_of(self.user), UserSerializer, ordering="username")

    @extend_schema(summary="Create a person", request=UserInput, responses={201: UserAnswer})
    def post(self, request: Request) -> Response:
        """Create a person; needs the capability users.manage."""
        given = self.read(UserInput)
        return self.reply(create_user(actor=self.actor, key=self.key, **given), status=201)


UserActivate = verb(
    "UserActivate",
    noun="user",
    fetch=access.person_for,
    action=partial(set_active, active=True),
    answer=ActiveAnswer,
)
UserDeactivate = verb(
    "UserDeactivate",
    noun="user",
    fetch=access.person_for,
    action=partial(set_active, active=False),
    answer=ActiveAnswer,
)


class Tokens(Endpoint):
    """Bearer tokens."""

    @extend_schema(summary="Your tokens, newest first", responses=TokenSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Answer a page of tokens; everybody's for who manages people."""
        return self.page(access.tokens_of(self.user), TokenSerializer)

    @extend_schema(
        summary="Issue a token; its secret is shown this once",
        request=TokenInput,
        responses={201: NewTokenSerializer},
    )
    def post(self, request: Request) -> Response:
        """Issue a token; a token passes on no more than its own scopes and time."""
        given = self.read(TokenInput)
        lifetime = timedelta(days=given["days"])
        _not_beyond(request.auth, given["scopes"], lifetime)
        token, secret = issue_token(
            actor=self.actor,
            user=self._owner(given.get("user")),
            name=given["name"],
            scopes=given["scopes"],
            lifetime=lifetime,
            key=self.key,
        )
        token.secret = secret  # type: ignore[attr-defined]
        headers = {} if secret else {"Idempotent-Replay": "true"}
        data = NewTokenSerializer(token, context=self.context()).data
        return Response(data, status=201, headers=headers)

    def _owner(self, username: str | None) -> User:
        if username is None or username.lower() == self.user.username.lower():
            return self.user
        return access.person_named(username, field="user")


def _not_beyond(used: object, scopes: Sequence[str], lifetime: timedelta) -> None:
    """Raise NotAllowed where the token in use would pass on more than it has."""
    if not isinstance(used, Token):
        return
    more = [scope for scope in scopes if scope not in used.scopes]
    if more:
        raise NotAllowed("token.scopes", f"{used} cannot pass on the scope {', '.join(more)}.")
    if now() + lifetime > used.expires_at:
        raise NotAllowed("token.lifetime", f"A token of {used} cannot outlive it.")


class TokenDetail(Endpoint):
    """One token."""

    @extend_schema(summary="Revoke a token at once", responses=TokenAnswer)
    def delete(self, request: Request, pk: int) -> Response:
        """Revoke a token; it stays listed, and is of no use any more."""
        token = access.token_for(self.user, pk)
        return self.reply(revoke_token(actor=self.actor, token=token))
