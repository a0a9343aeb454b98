"""How a use case's model fares in use: drift, quality, worth, traffic, and its alerts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy

from pipelines.monitoring.watching import watching
from portal import access
from portal.web.errors import page
from portal.web.figures import table_asked
from portal.web.forms import user_of
from portal.web.monitored import figures_of

# The menu of responses (the catalogue's stage 10): what somebody says was done begins with one.
RESPONSES = (
    gettext_lazy("Do nothing"),
    gettext_lazy("Check data quality"),
    gettext_lazy("Retrain"),
    gettext_lazy("Find segments"),
    gettext_lazy("Adapt logic"),
    gettext_lazy("Rebuild"),
    gettext_lazy("Use the fallback"),
)


@page
def monitor(request: HttpRequest, key: str) -> HttpResponse:
    """Show the monitor; `?table=` answers the numbers behind a chart as CSV."""
    user = user_of(request)
    view = watching(user, access.use_case_for(user, key))
    figures = figures_of(view)
    if (asked := table_asked(request, figures.values())) is not None:
        return asked
    streams = [f"use_case:{view.use_case.pk}"]
    if view.model is not None:
        streams.append(f"model:{view.model.pk}")
    context = {
        "section": "use_cases",
        "streams": ",".join(streams),
        "now": view.now,
        "view": view,
        "figures": figures,
        "responses": RESPONSES,
    }
    return render(request, "monitor/monitor.html", context)
