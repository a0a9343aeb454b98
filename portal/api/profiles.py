"""What one says of oneself; people as colleagues see them; the persona map."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from personas import profiles
from pipelines.runs.queries import people as queries
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.people import Me as LookAtMe
from portal.api.serializers.base import Nothing
from portal.api.serializers.people import PersonaSerializer
from portal.api.serializers.profiles import (
    ColleaguesQuery,
    ColleaguesSerializer,
    MapSerializer,
    OneselfAnswer,
    PasswordInput,
    ProfileAnswer,
    ProfileInput,
    RangesInput,
)


class Me(LookAtMe):
    """The person who asks."""

    @extend_schema(
        summary="Change your profile and where you stand",
        request=ProfileInput,
        responses=ProfileAnswer,
    )
    def patch(self, request: Request) -> Response:
        """Change what is given; an expertise of null is your persona's again."""
        changes = self.read(ProfileInput)
        return self.reply(profiles.change_profile(actor=self.actor, changes=changes, key=self.key))


class Password(Endpoint):
    """The password of who asks."""

    @extend_schema(
        summary="Change your password; every session ends",
        request=PasswordInput,
        responses=OneselfAnswer,
    )
    def post(self, request: Request) -> Response:
        """Change the password; tokens stay."""
        change = profiles.PasswordChange(**self.read(PasswordInput))
        return self.reply(profiles.change_password(actor=self.actor, change=change, key=self.key))


class SignOut(Endpoint):
    """The sessions of who asks."""

    @extend_schema(summary="End every session of yours", request=None, responses=OneselfAnswer)
    def post(self, request: Request) -> Response:
        """End every session, the one that asks included; tokens stay."""
        self.read(Nothing)
        return self.reply(profiles.sign_out_elsewhere(actor=self.actor, key=self.key))


class Persona(Endpoint):
    """One kind of people."""

    @extend_schema(summary="One persona", responses=PersonaSerializer)
    def get(self, request: Request, code: str) -> Response:
        """Answer the persona with its ranges."""
        return self.show(access.persona_for(code), PersonaSerializer)

    @extend_schema(
        summary="Change a persona's expertise ranges",
        request=RangesInput,
        responses=PersonaSerializer,
    )
    def patch(self, request: Request, code: str) -> Response:
        """Change the ranges that are given; needs the capability users.manage."""
        persona, ranges = access.persona_for(code), self.read(RangesInput)
        answer = profiles.change_ranges(
            actor=self.actor, persona=persona, ranges=ranges, key=self.key
        )
        headers = {"Idempotent-Replay": "true"} if answer.replayed else {}
        data = PersonaSerializer(access.persona_for(code)).data
        return Response(data, headers=headers)


class PersonaMap(Endpoint):
    """The persona map."""

    @extend_schema(
        summary="Where people stand, and the hand-offs between personas", responses=MapSerializer
    )
    def get(self, request: Request) -> Response:
        """Answer points, and hand-offs of the use cases you may see; ranges are with personas."""
        view = queries.persona_map(
            access.people_of(self.user), access.use_cases_of(self.user), self.user
        )
        return self.show(view, MapSerializer)


class Colleagues(Endpoint):
    """People as colleagues see them."""

    @extend_schema(
        summary="People with seats, absence and deputies",
        parameters=[ColleaguesQuery],
        responses=ColleaguesSerializer,
    )
    def get(self, request: Request) -> Response:
        """Answer at most 50 people by name; `after` of the answer asks for the next."""
        wanted = queries.Wanted(**self.query(ColleaguesQuery))
        view = queries.people(access.people_of(self.user), access.use_cases_of(self.user), wanted)
        return self.show(view, ColleaguesSerializer)
