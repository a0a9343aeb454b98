"""Hand-offs: offer, accept, return."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.runs.actions import handoffs
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.base import Reason, ReturnInput
from portal.api.serializers.reviews import (
    HandOffAnswer,
    HandOffDetailSerializer,
    HandOffFilter,
    HandOffSerializer,
    OfferInput,
)
from portal.api.verbs import verb


class HandOffs(Endpoint):
    """The hand-offs you may see."""

    @extend_schema(
        summary="Hand-offs, newest first",
        parameters=[HandOffFilter],
        responses=HandOffSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Answer a page of hand-offs."""
        wanted = self.query(HandOffFilter)
        if "use_case" in wanted:
            wanted["run__use_case__key"] = wanted.pop("use_case")
        return self.page(access.hand_offs_of(self.user).filter(**wanted), HandOffSerializer)


class HandOff(Endpoint):
    """One hand-off."""

    @extend_schema(
        summary="A hand-off with package, checklist and contract",
        responses=HandOffDetailSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """Answer the hand-off."""
        return self.show(access.hand_off_with_package_for(self.user, pk), HandOffDetailSerializer)


HandOffOffer = verb(
    "HandOffOffer",
    noun="hand_off",
    fetch=access.hand_off_for,
    action=handoffs.offer,
    answer=HandOffAnswer,
    body=OfferInput,
)
HandOffAccept = verb(
    "HandOffAccept",
    noun="hand_off",
    fetch=access.hand_off_for,
    action=handoffs.accept,
    answer=HandOffAnswer,
)
HandOffReturn = verb(
    "HandOffReturn",
    noun="hand_off",
    fetch=access.hand_off_for,
    action=handoffs.return_,
    answer=HandOffAnswer,
    body=ReturnInput,
)
HandOffWithdraw = verb(
    "HandOffWithdraw",
    noun="hand_off",
    fetch=access.hand_off_for,
    action=handoffs.withdraw,
    answer=HandOffAnswer,
    body=Reason,
)
HandOffRerunContract = verb(
    "HandOffRerunContract",
    noun="hand_off",
    fetch=access.hand_off_for,
    action=handoffs.rerun_contract,
    answer=HandOffAnswer,
)
