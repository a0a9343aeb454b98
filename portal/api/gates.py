"""Gates, their checks and decisions."""

from django.db.models import Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.runs.actions import blind, gates, overrides
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.base import Reason
from portal.api.serializers.reviews import (
    DecisionInput,
    DecisionSerializer,
    GateAnswer,
    GateDetailSerializer,
    GateFilter,
    GateSerializer,
    OverrideInput,
    WaiverInput,
)
from portal.api.verbs import verb


class Gates(Endpoint):
    """The gates you may see."""

    @extend_schema(
        summary="Gates, newest first",
        parameters=[GateFilter],
        responses=GateSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Answer a page of gates."""
        wanted = self.query(GateFilter)
        if "use_case" in wanted:
            wanted["run__use_case__key"] = wanted.pop("use_case")
        return self.page(access.gates_of(self.user).filter(**wanted).defer("pack"), GateSerializer)


class Gate(Endpoint):
    """One gate."""

    @extend_schema(
        summary="A gate with evidence, checks and decisions", responses=GateDetailSerializer
    )
    def get(self, request: Request, pk: int) -> Response:
        """Answer the gate."""
        return self.show(access.gate_with_evidence_for(self.user, pk), GateDetailSerializer)


class Decisions(Endpoint):
    """The decisions in a gate."""

    scopes = {"POST": "decide"}

    @extend_schema(summary="Its decisions, oldest first", responses=DecisionSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """Answer every decision, the voided ones too; of a sealed gate only your own."""
        gate = access.gate_for(self.user, pk)
        rows = gate.decisions.select_related("user", "on_behalf_of")
        if gate.sealed:
            rows = rows.filter(Q(user=self.user) | Q(on_behalf_of=self.user))
        return self.page(rows, DecisionSerializer, ordering="id")

    @extend_schema(
        summary="Decide on exactly what you have seen",
        request=DecisionInput,
        responses=GateAnswer,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take a decision; `withdraw` takes your own back while the gate is open."""
        gate = access.gate_to_decide_for(self.user, pk)
        given = self.read(DecisionInput)
        if "on_behalf_of" in given:
            given["on_behalf_of"] = access.person_named(given["on_behalf_of"], field="on_behalf_of")
        return self.reply(gates.decide(actor=self.actor, gate=gate, key=self.key, **given))


GateReopen = verb(
    "GateReopen",
    noun="gate",
    fetch=access.gate_for,
    action=gates.reopen,
    answer=GateAnswer,
    body=Reason,
)
GateConfirm = verb(
    "GateConfirm",
    noun="gate",
    fetch=access.gate_for,
    action=blind.confirm,
    answer=GateAnswer,
    scope="decide",
)
GateOverride = verb(
    "GateOverride",
    noun="gate",
    fetch=access.gate_for,
    action=overrides.override,
    answer=GateAnswer,
    body=OverrideInput,
    scope="decide",
)
CheckWaive = verb(
    "CheckWaive",
    noun="check",
    fetch=access.check_for,
    action=gates.waive,
    answer=GateAnswer,
    body=WaiverInput,
    scope="decide",
)
