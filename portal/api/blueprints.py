"""Blueprints: publish, read, lint."""

import codecs
from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from pipelines.blueprints.problems import errors_of
from pipelines.usecases.actions import lint_source, publish_blueprint
from portal import access
from portal.api.endpoint import Endpoint
from portal.api.parsers import StrictJSONParser
from portal.api.serializers.use_cases import (
    BlueprintAnswer,
    BlueprintDetailSerializer,
    BlueprintSerializer,
    BlueprintVersionSerializer,
    LintAnswer,
)

SOURCE = {
    "application/toml": OpenApiTypes.STR,
    "application/json": OpenApiTypes.OBJECT,
}


class TomlParser(BaseParser):
    """The text of a TOML body; what it says is the domain's to judge."""

    media_type = "application/toml"

    def parse(  # type: ignore[override]  # a text is what TOML is
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the text. Raises ParseError where it is not UTF-8."""
        try:
            return cast(bytes, stream.read()).removeprefix(codecs.BOM_UTF8).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not UTF-8: byte {error.start}.") from error


def source_of(request: Request) -> str | Mapping[str, object]:
    """Return the blueprint as it was sent. Raises ValidationError for a JSON list or value."""
    data = request.data
    if isinstance(data, str | Mapping):
        return data
    raise ValidationError({"body": [f"must be TOML, or a JSON object, got {type(data).__name__}"]})


class Blueprints(Endpoint):
    """The plans of stages and gates."""

    parser_classes = (StrictJSONParser, TomlParser)

    @extend_schema(summary="Blueprints", responses=BlueprintSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Answer a page of blueprints."""
        return self.page(access.blueprints_of(self.user), BlueprintSerializer, ordering="key")

    @extend_schema(
        summary="Publish a blueprint's next version",
        request=SOURCE,
        responses={201: BlueprintAnswer, 200: BlueprintAnswer},
    )
    def post(self, request: Request) -> Response:
        """Publish; 200 where exactly this content is published already."""
        answer = publish_blueprint(actor=self.actor, source=source_of(request), key=self.key)
        return self.reply(answer, status=201 if answer.data["new"] else 200)


class Blueprint(Endpoint):
    """One blueprint."""

    @extend_schema(summary="A blueprint with its versions", responses=BlueprintDetailSerializer)
    def get(self, request: Request, key: str) -> Response:
        """Answer the blueprint."""
        return self.show(access.blueprint_for(self.user, key), BlueprintDetailSerializer)


class BlueprintVersion(Endpoint):
    """One version of a blueprint."""

    @extend_schema(summary="One version with its body", responses=BlueprintVersionSerializer)
    def get(self, request: Request, key: str, number: int) -> Response:
        """Answer the version."""
        return self.show(access.version_for(self.user, key, number), BlueprintVersionSerializer)


class BlueprintLint(Endpoint):
    """What is wrong with a blueprint."""

    parser_classes = (StrictJSONParser, TomlParser)

    @extend_schema(
        summary="Every problem of a blueprint at once; nothing is kept",
        request=SOURCE,
        responses=LintAnswer,
    )
    def post(self, request: Request) -> Response:
        """Answer the problems."""
        digest, problems = lint_source(source_of(request))
        body = {
            "publishable": not errors_of(problems),
            "digest": digest,
            "problems": problems,
        }
        return self.show(body, LintAnswer)
