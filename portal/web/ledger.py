"""The ledger: who did what, when; whether the chain holds; everything as JSON."""

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render

from personas.models import Event
from personas.queries import first_break
from pipelines.runs.queries import ledger as queries
from pipelines.runs.queries.clock import now
from portal import access
from portal.web.errors import page
from portal.web.forms import user_of

KINDS = {
    "": "everything",
    "gate": "gates",
    "decision": "decisions",
    "handoff": "hand-offs",
    "stage": "stages",
    "work_item": "work items",
    "step": "steps",
    "attempt": "attempts",
    "check": "checks",
    "run": "runs",
    "model": "models",
    "deployment": "deployments",
    "alert": "alerts",
    "person": "people",
    "token": "tokens",
}


@page
def ledger(request: HttpRequest) -> HttpResponse:
    """Show the events the person may read; with `verify=1`, whether their chain holds."""
    user = user_of(request)
    wanted = queries.Wanted(
        stream=request.GET.get("stream", "")[:120],
        type=request.GET.get("type", "")[:60],
        person=request.GET.get("person", "").strip()[:120],
        page=int(request.GET.get("page", "1")) if request.GET.get("page", "1").isdecimal() else 1,
    )
    stream = access.stream_for(user, wanted.stream) if wanted.stream else None
    events = access.events_for(user, wanted.stream) if wanted.stream else access.ledger_of(user)
    may_verify = stream is not None or user.can("read_all")
    verify = may_verify and request.GET.get("verify") == "1"
    broken = None
    if verify:
        broken = queries.broken_row(stream) if stream else first_break()
    context = {
        "section": "ledger",
        "streams": wanted.stream if wanted.stream.startswith(("run:", "use_case:")) else "me",
        "now": now(),
        "wanted": wanted,
        "view": queries.ledger(events, wanted),
        "kinds": KINDS,
        "verified": verify,
        "broken": broken,
        "may_verify": may_verify,
    }
    return render(request, "ledger/ledger.html", context)


@page
def export(request: HttpRequest) -> HttpResponseBase:
    """Answer every event of a stream as JSON lines, oldest first, with its digests."""
    stream = access.stream_for(user_of(request), request.GET.get("stream", "")[:120])
    events = stream.events.select_related("stream").order_by("seq")
    answer = StreamingHttpResponse(_lines(events.iterator()), content_type="application/x-ndjson")
    name = str(stream).replace(":", "-")
    answer["Content-Disposition"] = f'attachment; filename="ledger-{name}.ndjson"'
    return answer


def _lines(events: Iterator[Event]) -> Iterator[str]:
    for event in events:
        body: dict[str, Any] = {
            "stream": [event.stream.kind, event.stream.key],
            "seq": event.seq,
            "type": event.type,
            "actor": [event.actor_kind, event.actor_id, event.actor_name],
            "command": str(event.command),
            "at": event.at.isoformat(),
            "subject": [event.subject, event.subject_id],
            "change": [event.before, event.after],
            "data": event.data,
            "previous": event.previous,
            "digest": event.digest,
        }
        yield json.dumps(body, ensure_ascii=False) + "\n"
