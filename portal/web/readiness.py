"""How ready a use case is: the ML Test Score from evidence, and the worries."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from pipelines.readiness.catalogue import SECTIONS
from pipelines.readiness.queries import readiness as query
from portal import access
from portal.web.errors import page
from portal.web.forms import user_of
from portal.web.worries import picture


@page
def readiness(request: HttpRequest, key: str) -> HttpResponse:
    """Show the score with what earned it, and what would earn the next point."""
    user = user_of(request)
    use_case = access.use_case_for(user, key)
    found = query(use_case)
    tests = {
        section: [result for result in found.tests if result.test.section == section]
        for section in SECTIONS
    }
    context = {
        "section": "use_cases",
        "streams": f"use_case:{use_case.pk}" + (f",run:{found.run.pk}" if found.run else ""),
        "readiness": found,
        "picture": picture(found.worries, user, request.GET.get("voice", "")),
        "parts": [(section, tests[section.key]) for section in found.sections],
    }
    return render(request, "readiness/readiness.html", context)
