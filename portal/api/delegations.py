"""Delegations: who is away, and who acts for them."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.usecases.actions import Wish, delegate, end_delegation
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.findings import (
    DelegationAnswer,
    DelegationInput,
    DelegationSerializer,
)
from portal.api.verbs import verb


class Delegations(Endpoint):
    """The delegations that concern you."""

    scopes = {"POST": "decide"}

    @extend_schema(
        summary="Delegations and absences, newest first",
        responses=DelegationSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Answer a page of delegations you give or hold; all for who manages people."""
        return self.page(access.delegations_of(self.user), DelegationSerializer)

    @extend_schema(
        summary="Say who is away, and who acts for them",
        request=DelegationInput,
        responses={201: DelegationAnswer},
    )
    def post(self, request: Request) -> Response:
        """Delegate; everybody speaks for themselves, who manages people also for others."""
        given = self.read(DelegationInput)
        named = {
            field: access.person_named(given[field], field=field)
            for field in ("giver", "deputy")
            if given.get(field)
        }
        key = given.get("use_case")
        wish = Wish(
            giver=named.get("giver", self.user),
            deputy=named.get("deputy"),
            persona=given.get("persona"),
            use_case=access.use_case_for(self.user, key) if key else None,
            since=given["since"],
            until=given["until"],
            reason=given["reason"],
        )
        return self.reply(delegate(actor=self.actor, wish=wish, key=self.key), status=201)


class Delegation(Endpoint):
    """One delegation."""

    @extend_schema(summary="A delegation", responses=DelegationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Answer the delegation."""
        return self.show(access.delegation_for(self.user, pk), DelegationSerializer)


DelegationEnd = verb(
    "DelegationEnd",
    noun="delegation",
    fetch=access.delegation_for,
    action=end_delegation,
    answer=DelegationAnswer,
    scope="decide",
)
