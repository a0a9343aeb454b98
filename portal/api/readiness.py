"""How ready a use case is: the ML Test Score from evidence, its history, and what people sign."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.readiness.actions import Statement, attest, withdraw
from pipelines.readiness.queries import readiness
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.base import Reason
from portal.api.serializers.readiness import (
    AttestationAnswer,
    AttestationFilter,
    AttestationInput,
    AttestationSerializer,
    PointSerializer,
    ReadinessSerializer,
    statement_of,
)
from portal.api.verbs import verb


class UseCaseReadiness(Endpoint):
    """The readiness of a use case."""

    @extend_schema(
        summary="The ML Test Score with its evidence, and the 26 worries",
        responses=ReadinessSerializer,
    )
    def get(self, request: Request, key: str) -> Response:
        """Answer the score: the minimum over four sections of seven tests."""
        return self.show(readiness(access.use_case_for(self.user, key)), ReadinessSerializer)


class ReadinessHistory(Endpoint):
    """The Test Score over time."""

    @extend_schema(
        summary="The Test Score over time, newest first: one row for each change",
        responses=PointSerializer(many=True),
    )
    def get(self, request: Request, key: str) -> Response:
        """Answer a page of points in time, each with the tests that changed."""
        use_case = access.use_case_for(self.user, key)
        return self.page(access.readiness_points_of(use_case), PointSerializer)


class UseCaseAttestations(Endpoint):
    """Statements that people signed for tests of a use case."""

    scopes = {"POST": "decide"}

    @extend_schema(
        summary="Signed statements, newest first, with what ended them",
        parameters=[AttestationFilter],
        responses=AttestationSerializer(many=True),
    )
    def get(self, request: Request, key: str) -> Response:
        """Answer a page of statements."""
        use_case = access.use_case_for(self.user, key)
        wanted = self.query(AttestationFilter)
        rows = access.attestations_of(self.user).filter(use_case=use_case, **wanted)
        return self.page(rows, AttestationSerializer)

    @extend_schema(
        summary="Sign a statement on a test, bound to the digests of what it is about",
        request=AttestationInput,
        responses={201: AttestationAnswer},
    )
    def post(self, request: Request, key: str) -> Response:
        """Sign; only the personas that the test names may, and only for what they were shown."""
        use_case = access.use_case_for(self.user, key)
        statement = Statement(**statement_of(self.read(AttestationInput)))
        answer = attest(actor=self.actor, use_case=use_case, statement=statement, key=self.key)
        return self.reply(answer, status=201)


class Attestation(Endpoint):
    """One signed statement."""

    @extend_schema(summary="A signed statement", responses=AttestationSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Answer the statement."""
        return self.show(access.attestation_for(self.user, pk), AttestationSerializer)


AttestationWithdraw = verb(
    "AttestationWithdraw",
    noun="attestation",
    fetch=access.attestation_for,
    action=withdraw,
    answer=AttestationAnswer,
    body=Reason,
    scope="decide",
)
