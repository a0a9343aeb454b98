"""The buttons of a work item beside its form, and asking another persona for help."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from personas.errors import Invalid
from personas.models import User
from pipelines.runs.actions import help as requests
from pipelines.runs.actions import item_moves
from portal import access
from portal.web.errors import change
from portal.web.forms import actor_of, done, key_of, text_of, user_of, whole_of

SAID = {
    "resume": "It goes on.",
    "resolve": "Handed back to whose it is; the draft went with it.",
    "skip": "Left out.",
    "escalate": "Escalated: more people see it now.",
    "withdraw": "The request is withdrawn.",
}


@change
def hold(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the item aside until a day."""
    item = access.item_for(user_of(request), pk)
    day = _day_of(request, "follow_up")
    answer = item_moves.hold(
        actor=actor_of(request),
        item=item,
        follow_up=day,
        reason=text_of(request, "reason"),
        key=key_of(request),
    )
    said = f"Put aside until {day:%d %b %Y}; its deadline keeps running."
    return done(request, answer, said, to=_address(pk))


@change
def pass_on(request: HttpRequest, pk: str, verb: str) -> HttpResponse:
    """Delegate or assign the item to the person who was chosen."""
    item = access.item_for(user_of(request), int(pk))
    person = _person_of(request, "to")
    action = {"delegate": item_moves.delegate, "assign": item_moves.assign}[verb]
    answer = action(
        actor=actor_of(request),
        item=item,
        to=person,
        reason=text_of(request, "reason"),
        key=key_of(request),
    )
    said = f"{person} does it now" + ("; you stay accountable." if verb == "delegate" else ".")
    return done(request, answer, said, to=_address(int(pk)))


@change
def act(request: HttpRequest, pk: str, verb: str) -> HttpResponse:
    """Resume, hand back, leave out, escalate or withdraw the item."""
    item = access.item_for(user_of(request), int(pk))
    actor, key, reason = actor_of(request), key_of(request), text_of(request, "reason")
    if verb == "resume":
        answer = item_moves.resume(actor=actor, item=item, key=key)
    elif verb == "resolve":
        answer = item_moves.resolve(actor=actor, item=item, note=reason, key=key)
    elif verb == "skip":
        answer = item_moves.skip(actor=actor, item=item, reason=reason, key=key)
    elif verb == "escalate":
        answer = item_moves.escalate(actor=actor, item=item, reason=reason, key=key)
    else:
        answer = requests.withdraw(actor=actor, item=item, reason=reason, key=key)
    return done(request, answer, SAID[verb], to=_address(int(pk)))


@change
def ask_help(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask another persona for help with a stage."""
    stage = access.stage_for(user_of(request), pk)
    persona = text_of(request, "persona")
    answer = requests.ask(
        actor=actor_of(request),
        stage=stage,
        persona=persona,
        question=text_of(request, "question"),
        code=text_of(request, "code"),
        days=whole_of(request, "days") or 0,
        key=key_of(request),
    )
    to = reverse("web:run", args=[stage.run_id])
    return done(request, answer, f"Asked {persona} for help; {stage.key} stays with you.", to=to)


def _day_of(request: HttpRequest, name: str) -> date:
    text = text_of(request, name)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        rule = f"must be a date such as 2026-12-01, got {text!r}"
        raise Invalid("That is no day.", fields={name: [rule]}) from error


def _person_of(request: HttpRequest, name: str) -> User:
    chosen = text_of(request, name)
    if not chosen:
        raise Invalid("Nobody was chosen.", fields={name: ["choose a person"]})
    return access.person_named(chosen, field=name)


def _address(pk: int) -> str:
    return reverse("web:item", args=[pk])
