"""Artefacts: bring a file, read one, ask what an upload holds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import FileResponse, HttpRequest
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from personas.commands import Answer
from pipelines.artefacts.actions import upload
from pipelines.artefacts.queries import open_content
from pipelines.runs.inspections import inspect
from portal import access, uploads
from portal.api.endpoint import AnyMedia, Endpoint
from portal.api.parsers import StrictJSONParser
from portal.api.serializers.artefacts import (
    ArtefactAnswer,
    ArtefactSerializer,
    DigestInput,
    InspectionAnswer,
    UploadInput,
)


class UploadEndpoint(Endpoint):
    """An address that takes files: they go to disk as they come, up to the limit."""

    parser_classes: Sequence[type[BaseParser]] = (MultiPartParser,)
    longest_body = 1 << 50  # the upload's own limit applies, and names itself

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Set the limit before anything reads the body."""
        request.upload_handlers = [uploads.LimitedUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse by the announced length, once the person is known. Raises TooLarge."""
        uploads.check_length(request._request)
        super().initial(request, *args, **kwargs)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Remove the files that came before the answer leaves: a refusal leaves nothing."""
        request._request.close()
        return super().finalize_response(request, response, *args, **kwargs)

    def keep(self, request: Request) -> Answer:
        """Keep the request's file. Raises ValidationError, Invalid, TooLarge, StorageError."""
        given = UploadInput(data=request.data)
        given.is_valid(raise_exception=True)
        file = request.FILES.get("file")
        if file is None or len(request.FILES) != 1:
            raise ValidationError({"file": ["one file is required, in the part named `file`"]})
        path = Path(cast(TemporaryUploadedFile, file).temporary_file_path())
        name = uploads.clean_name(file.name or "")
        media = uploads.media_of(path, name=name, wanted=given.validated_data["media"])
        return upload(actor=self.actor, path=path, media=media, name=name, key=self.key)


class Artefacts(UploadEndpoint):
    """Files that people bring."""

    @extend_schema(
        summary="Bring a file",
        request={"multipart/form-data": UploadInput},
        responses={201: ArtefactAnswer},
    )
    def post(self, request: Request) -> Response:
        """Keep a file; the same content is kept once, and has the same digest."""
        return self.reply(self.keep(request), status=201)


class Artefact(Endpoint):
    """One artefact."""

    @extend_schema(summary="What is known of an artefact", responses=ArtefactSerializer)
    def get(self, request: Request, digest: str) -> Response:
        """Answer size, medium and name."""
        return self.show(access.artefact_for(self.user, digest), ArtefactSerializer)


class ArtefactContent(Endpoint):
    """The bytes of an artefact."""

    content_negotiation_class = AnyMedia

    @extend_schema(
        summary="Its content, verified while it is opened",
        responses={
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY, "the bytes")
        },
    )
    def get(self, request: Request, digest: str) -> FileResponse:
        """Answer the bytes as a download."""
        artefact = access.artefact_for(self.user, digest)
        name = artefact.name or f"{digest[:12]}.{artefact.media}"
        response = FileResponse(
            open_content(digest),
            as_attachment=True,
            filename=name,
            content_type="application/octet-stream",
        )
        response["ETag"] = f'"{digest}"'
        response["Cache-Control"] = "private, max-age=31536000, immutable"
        return response


class UploadInspect(UploadEndpoint):
    """What an upload holds."""

    parser_classes = (MultiPartParser, StrictJSONParser)

    @extend_schema(
        summary="Look at a CSV or Parquet file: columns, problems, suggestions",
        request={"multipart/form-data": UploadInput, "application/json": DigestInput},
        responses=InspectionAnswer,
    )
    def post(self, request: Request) -> Response:
        """Inspect a new upload, or one that was kept, by digest."""
        if request.content_type.startswith("multipart/"):
            digest, name = (str(self.keep(request).data[part]) for part in ("digest", "name"))
        else:
            digest = self.read(DigestInput)["digest"]
            name = access.artefact_for(self.user, digest).name
        found = inspect(access.artefact_for(self.user, digest), name=name)
        return Response({"digest": digest, **found})
