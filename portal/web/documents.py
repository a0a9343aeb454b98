"""Documents of a run: what there is, each as a page, and the same as a file."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe

from personas.errors import NotFound
from personas.people import PERSONAS
from pipelines.documents import library
from pipelines.documents.forms import FORMS, name_of, write
from pipelines.documents.html import fragment
from pipelines.documents.queries import pack_of, run_of
from pipelines.documents.tree import Document, counts, digest_of
from pipelines.runs.models import Run
from portal import access
from portal.web.errors import page
from portal.web.forms import user_of


@page
def documents(request: HttpRequest, pk: int) -> HttpResponse:
    """Show which documents the run has, and how much of each is filled in."""
    run = access.run_for(user_of(request), pk)
    pack = pack_of(run)
    kinds = [(kind, counts(kind.build(pack))) for kind in library.KINDS.values()]
    context = {**_shared(run), "kinds": kinds, "pack": pack}
    return render(request, "documents/documents.html", context)


@page
def of_use_case(request: HttpRequest, key: str) -> HttpResponse:
    """Go to the documents of the run whose evidence counts, or to the one of this `kind`."""
    use_case = access.use_case_for(user_of(request), key)
    run = run_of(use_case)
    if run is None:
        raise NotFound("documents", "No run of this use case has begun: there are no documents.")
    kind = request.GET.get("kind", "")
    if kind in library.KINDS:
        return redirect(reverse("web:document", args=[run.pk, kind]))
    return redirect(reverse("web:documents", args=[run.pk]))


@page
def document(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Show a document; `voice` narrows the decision brief to one persona."""
    run = access.run_for(user_of(request), pk)
    voice = request.GET.get("voice", "")
    found = _build(run, kind, voice)
    context = {
        **_shared(run),
        "document": found,
        "counts": counts(found),
        "digest": digest_of(found.as_plain()),
        # Every text in it was escaped by the renderer, which is tested with hostile ones.
        "fragment": mark_safe(fragment(found)),  # noqa: S308
        "voice": voice if voice in library.VOICES else "",
        "voices": PERSONAS if kind == "decision-brief" else (),
        "query": f"?voice={voice}" if voice in library.VOICES else "",
    }
    return render(request, "documents/document.html", context)


@page
def file(request: HttpRequest, pk: int, kind: str, form: str) -> HttpResponse:
    """Answer a document as a file. Raises NotFound for a form there is not."""
    run = access.run_for(user_of(request), pk)
    if form not in FORMS:
        raise NotFound("form", f"There is no form {form!r}; there are {', '.join(FORMS)}.")
    found = _build(run, kind, request.GET.get("voice", ""))
    wanted = FORMS[form]
    body = write(found, wanted, base=settings.URL)
    name = name_of(found, wanted, run=run.pk)
    answer = HttpResponse(body, content_type=f"{wanted.media}; charset=utf-8")
    # As a download: the file has a style of its own, which our pages' policy forbids.
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _build(run: Run, kind: str, voice: str) -> Document:
    """Return the document. Raises NotFound for a kind there is not."""
    if kind not in library.KINDS:
        raise NotFound("document", f"There is no document {kind!r}.")
    return library.build(kind, pack_of(run), voice=voice)


def _shared(run: Run) -> dict[str, object]:
    return {
        "section": "use_cases",
        "streams": f"run:{run.pk}",
        "run": run,
        "forms": tuple(FORMS.values()),
    }
