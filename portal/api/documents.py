"""Documents of a run: as data, or as HTML, Markdown and PDF by suffix or by Accept header."""

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from personas.errors import NotFound
from pipelines.documents import library
from pipelines.documents.forms import FORMS, Form, name_of, write
from pipelines.documents.queries import pack_of, run_of
from pipelines.documents.tree import Document as Tree
from pipelines.runs.models import Run
from portal import access
from portal.api.endpoint import AnyMedia, Endpoint
from portal.api.serializers.documents import (
    DocumentFilter,
    DocumentSerializer,
    DocumentsSerializer,
)

BY_MEDIA = {form.media: form for form in FORMS.values()}
WRITTEN = {
    (200, form.media): OpenApiResponse(OpenApiTypes.BINARY, form.title) for form in FORMS.values()
}
KIND = OpenApiParameter("kind", str, OpenApiParameter.PATH, enum=list(library.KINDS))


class RunDocuments(Endpoint):
    """The documents of a run."""

    @extend_schema(summary="Which documents it has", responses=DocumentsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Answer every kind with its title; each can be had under its key."""
        return self.show(_listed(access.run_for(self.user, pk)), DocumentsSerializer)


class UseCaseDocuments(Endpoint):
    """The documents that speak for a use case."""

    @extend_schema(
        summary="The documents of the run whose evidence counts", responses=DocumentsSerializer
    )
    def get(self, request: Request, key: str) -> Response:
        """Answer those of the run that made what is deployed, else of the last that began."""
        run = run_of(access.use_case_for(self.user, key))
        if run is None:
            raise NotFound("documents", "No run of this use case has begun.")
        return self.show(_listed(run), DocumentsSerializer)


class RunDocument(Endpoint):
    """One document."""

    content_negotiation_class = AnyMedia

    @extend_schema(
        summary="A document as data, or in the form the Accept header asks for",
        parameters=[DocumentFilter, KIND],
        responses={(200, "application/json"): DocumentSerializer, **WRITTEN},
    )
    def get(self, request: Request, pk: int, kind: str) -> HttpResponse:
        """Answer the tree; with Accept text/html, text/markdown or application/pdf that form."""
        run = access.run_for(self.user, pk)
        found = _build(run, kind, self.query(DocumentFilter)["voice"])
        wanted = request._request.get_preferred_type(["application/json", *BY_MEDIA])
        if wanted in BY_MEDIA:
            return _written(found, BY_MEDIA[wanted], run)
        return Response(found.as_json(), headers={"Vary": "Accept"})


class RunDocumentFile(Endpoint):
    """One document in one form."""

    content_negotiation_class = AnyMedia

    @extend_schema(
        summary="A document as HTML, Markdown or PDF",
        parameters=[
            DocumentFilter,
            KIND,
            OpenApiParameter("form", str, OpenApiParameter.PATH, enum=list(FORMS)),
        ],
        responses=WRITTEN,
    )
    def get(self, request: Request, pk: int, kind: str, form: str) -> HttpResponse:
        """Answer the file."""
        run = access.run_for(self.user, pk)
        if form not in FORMS:
            raise NotFound("form", f"There is no form {form!r}; there are {', '.join(FORMS)}.")
        return _written(_build(run, kind, self.query(DocumentFilter)["voice"]), FORMS[form], run)


def _listed(run: Run) -> dict[str, object]:
    return {"run": run.pk, "documents": list(library.KINDS.values()), "forms": list(FORMS)}


def _build(run: Run, kind: str, voice: str) -> Tree:
    if kind not in library.KINDS:
        raise NotFound("document", f"There is no document {kind!r}.")
    return library.build(kind, pack_of(run), voice=voice)


def _written(document: Tree, form: Form, run: Run) -> HttpResponse:
    answer = HttpResponse(
        write(document, form, base=settings.URL), content_type=f"{form.media}; charset=utf-8"
    )
    name = name_of(document, form, run=run.pk)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Vary"] = "Accept"
    return answer
