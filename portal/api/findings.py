"""Findings: conditions of approvals."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.runs.actions import findings
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.serializers.findings import (
    EvidenceInput,
    ExtensionInput,
    FindingAnswer,
    FindingDetailSerializer,
    FindingFilter,
    FindingSerializer,
)
from portal.api.verbs import verb


class Findings(Endpoint):
    """The findings you may see."""

    @extend_schema(
        summary="Findings, newest first",
        parameters=[FindingFilter],
        responses=FindingSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Answer a page of findings."""
        wanted = self.query(FindingFilter)
        if "use_case" in wanted:
            wanted["run__use_case__key"] = wanted.pop("use_case")
        return self.page(access.findings_of(self.user).filter(**wanted), FindingSerializer)


class Finding(Endpoint):
    """One finding."""

    @extend_schema(summary="A finding, and what you may do", responses=FindingDetailSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Answer the finding."""
        return self.show(access.finding_for(self.user, pk), FindingDetailSerializer)


FindingResolve = verb(
    "FindingResolve",
    noun="finding",
    fetch=access.finding_for,
    action=findings.resolve,
    answer=FindingAnswer,
    body=EvidenceInput,
)
FindingExtend = verb(
    "FindingExtend",
    noun="finding",
    fetch=access.finding_for,
    action=findings.extend,
    answer=FindingAnswer,
    body=ExtensionInput,
    scope="decide",
)
