"""The schema in OpenAPI 3.1: names, the key of every change, the problems of every address."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

PROBLEM_MEDIA = "application/problem+json"
READ_PROBLEMS = (401, 403, 404, 503)
WRITE_PROBLEMS = (400, 401, 403, 404, 409, 410, 413, 415, 422, 503)
TITLES = {
    400: "The body cannot be read",
    401: "Sign in first",
    403: "You may not do this; `code` names the rule",
    404: "There is no such thing, or you may not know of it",
    409: "The state has moved on; `by`, `at` and `state` say how",
    410: "It was closed by time or by cancelling",
    413: "The body is larger than the limit it names",
    415: "This media type is not taken here",
    422: "The input needs another look; `fields` names every problem",
    503: "Try again after `Retry-After` seconds",
}

KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Your name for this request (a UUID does). Sent again with the same body it "
    "changes nothing and answers the same, with the header `Idempotent-Replay: true`.",
)


class ProblemSerializer(serializers.Serializer[Any]):
    """An error, after RFC 9457."""

    type = serializers.CharField(help_text="urn:baton:<kind>")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="what happened, for people")
    code = serializers.CharField(help_text="what happened, for programs; of a 403 the rule")
    retryable = serializers.BooleanField()
    fields_ = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="every problem of the input, by field path",
    )
    by = serializers.CharField(required=False, help_text="who was first")
    at = serializers.DateTimeField(required=False, help_text="when")
    state = serializers.CharField(required=False, help_text="what it is now")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Name the field `fields`, which DRF keeps for itself."""
        found = super().get_fields()
        return {("fields" if name == "fields_" else name): field for name, field in found.items()}


class Schema(AutoSchema):
    """Baton's conventions, said once."""

    def get_operation_id(self) -> str:
        """Name an operation by its endpoint and method."""
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self.view).__name__).lower()
        return f"{name}_{self.method.lower()}"

    def get_tags(self) -> list[str]:
        """Group by the first noun of the address."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_override_parameters(self) -> list[Any]:
        """Every POST takes an Idempotency-Key."""
        return [KEY] if self.method == "POST" else []

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for status in READ_PROBLEMS if self.method == "GET" else WRITE_PROBLEMS:
            if not self.get_auth() and status in (401, 403):
                continue
            bodies.setdefault(
                str(status),
                self._get_response_for_code(  # type: ignore[no-untyped-call]
                    OpenApiResponse(ProblemSerializer, TITLES[status]),
                    str(status),
                    media_types=[PROBLEM_MEDIA],
                ),
            )
        return dict(sorted(bodies.items()))
