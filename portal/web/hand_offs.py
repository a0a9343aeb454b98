"""A hand-off: look at the package, then offer, accept, return or withdraw it."""

from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from personas.commands import Answer
from personas.errors import Conflict, DomainError, Invalid
from pipelines.runs.actions import handoffs
from pipelines.runs.models import HandOff
from pipelines.runs.queries.hand_off import hand_off_view
from portal import access
from portal.web.errors import form_page
from portal.web.forms import actor_of, done, key_of, text_of, user_of

ANSWER = "answer."
SAID = {
    "offer": "Offered; you stay accountable until somebody accepts.",
    "accept": "Accepted: it is yours now.",
    "return": "Returned; the sender's stage has its next round.",
    "withdraw": "Withdrawn; your stage has its next round.",
    "rerun": "The contract is computed again.",
}


@form_page
def hand_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the hand-off; a POST does what its button says."""
    user = user_of(request)
    found = access.hand_off_with_package_for(user, pk)
    if request.method != "POST":
        return _show(request, found)
    verb = text_of(request, "do")
    try:
        answer = _act(request, found, verb)
    except Invalid as error:
        problems = {name.removeprefix("answers."): texts for name, texts in error.fields.items()}
        return _show(request, found, problems=problems, status=422)
    except Conflict as error:
        fresh = access.hand_off_with_package_for(user, pk)
        return _show(request, fresh, moved_on=error, status=409)
    return done(request, answer, SAID[verb], to=_address(pk))


def _act(request: HttpRequest, found: HandOff, verb: str) -> Answer:
    """Do what the button says. Raises Invalid for an unknown one."""
    actor, key = actor_of(request), key_of(request)
    reason = text_of(request, "reason")
    if verb == "offer":
        answers = {
            name.removeprefix(ANSWER): text_of(request, name)
            for name in request.POST
            if name.startswith(ANSWER)
        }
        note = text_of(request, "note")
        return handoffs.offer(actor=actor, hand_off=found, answers=answers, note=note, key=key)
    if verb == "accept":
        return handoffs.accept(actor=actor, hand_off=found, key=key)
    if verb == "return":
        code = text_of(request, "reason_code")
        return handoffs.return_(
            actor=actor, hand_off=found, reason=reason, reason_code=code, key=key
        )
    if verb == "withdraw":
        return handoffs.withdraw(actor=actor, hand_off=found, reason=reason, key=key)
    if verb == "rerun":
        return handoffs.rerun_contract(actor=actor, hand_off=found, key=key)
    raise Invalid("Nothing was done.", fields={"do": [f"must be one of {', '.join(SAID)}"]})


def _address(pk: int) -> str:
    return reverse("web:hand_off", args=[pk])


def _show(
    request: HttpRequest,
    found: HandOff,
    *,
    problems: Mapping[str, Sequence[str]] | None = None,
    moved_on: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    view = hand_off_view(user_of(request), found)
    given = request.POST
    entries = [
        (entry, given.get(ANSWER + entry.key, entry.value or ""), (problems or {}).get(entry.key))
        for entry in view.checklist
    ]
    context = {
        "section": "inbox",
        "streams": f"run:{found.run_id}",
        "self": _address(found.pk),
        "now": view.now,
        "view": view,
        "entries": entries,
        "given": given,
        "problems": problems or {},
        "moved_on": moved_on,
        "reason_codes": handoffs.RETURN_CODES,
    }
    return render(request, "hand_offs/hand_off.html", context, status=status)
