"""Search: one page, and the same results as a fragment for the palette."""

from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from pipelines.search.models import MODEL, PERSON, RUN, USE_CASE
from pipelines.search.queries import ALL, DOCUMENT, Hit, search
from portal.web.errors import page
from portal.web.forms import user_of

TITLES: Final = {
    USE_CASE: _("Use cases"),
    RUN: _("Runs"),
    MODEL: _("Models"),
    PERSON: _("People"),
    DOCUMENT: _("Documents"),
}


def address_of(hit: Hit) -> str:
    """Return the address of what was found; of a person, where they can be met."""
    if hit.noun == USE_CASE:
        return reverse("web:use_case", args=[hit.key])
    if hit.noun == RUN:
        return reverse("web:run", args=[hit.pk])
    if hit.noun == MODEL:
        return reverse("web:model", args=[hit.key])
    if hit.noun == DOCUMENT:
        use_case, _slash, kind = hit.key.partition("/")
        return f"{reverse('web:use_case_documents', args=[use_case])}?{urlencode({'kind': kind})}"
    return f"{reverse('web:ledger')}?{urlencode({'person': hit.name})}"


@page
def find(request: HttpRequest) -> HttpResponse:
    """Show what the words of `q` find; `noun` asks for one noun, `part=list` for the list only."""
    text = request.GET.get("q", "")
    noun = request.GET.get("noun", "")
    noun = noun if noun in ALL else ""
    found = search(user_of(request), text, noun=noun)
    context = {
        "section": "search",
        "q": text[:200],
        "noun": noun,
        "found": found,
        "groups": [
            (group, TITLES[group.noun], [(hit, address_of(hit)) for hit in group.hits])
            for group in found.groups
        ],
        "nouns": TITLES,
    }
    part = request.GET.get("part") == "list"
    return render(request, "search/_found.html" if part else "search/search.html", context)
