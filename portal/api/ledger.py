"""The ledger: who did what, and the proof that nobody changed it."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from personas.policies import require
from personas.queries import first_break
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.ledger import EventSerializer, LedgerFilter, VerifyAnswer


class Ledger(Endpoint):
    """The events."""

    @extend_schema(
        summary="Events of a stream, newest first",
        parameters=[LedgerFilter],
        responses=EventSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Answer a page of events."""
        wanted = self.query(LedgerFilter)
        rows = access.events_for(self.user, wanted["stream"])
        if wanted["type"]:
            rows = rows.filter(type__startswith=wanted["type"])
        if wanted["person"]:
            rows = rows.filter(actor_name__icontains=wanted["person"])
        return self.page(rows, EventSerializer)


class LedgerVerify(Endpoint):
    """The proof."""

    @extend_schema(summary="Recompute every chain and seal", responses=VerifyAnswer)
    def get(self, request: Request) -> Response:
        """Answer whether the ledger holds; needs the capability read_all."""
        require(self.user, "read_all")
        broken = first_break()
        return self.show({"holds": broken is None, "first_break": broken}, VerifyAnswer)
