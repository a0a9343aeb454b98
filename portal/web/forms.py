"""What views need of a request: who acts, the key of the command, where to go on."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from personas.commands import Actor, Answer
from personas.models import User


def user_of(request: HttpRequest) -> User:
    """Return the signed-in person; the decorators of `errors` see to it that there is one."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("this view needs a signed-in person: use page, change or form_page")
    return user


def actor_of(request: HttpRequest) -> Actor:
    """Return the signed-in person as the actor of a command."""
    return Actor.person(user_of(request))


def key_of(request: HttpRequest) -> str | None:
    """Return the form's Idempotency-Key ({% key_field %}): a double click is one command."""
    return request.POST.get("idempotency_key", "")[:200] or None


def text_of(request: HttpRequest, name: str) -> str:
    """Return a posted text without the spaces around it; lines end in a single newline."""
    return request.POST.get(name, "").replace("\r\n", "\n").strip()


def whole_of(request: HttpRequest, name: str) -> int | None:
    """Return a posted whole number, or None where there is none."""
    text = request.POST.get(name, "").strip()
    return int(text) if text.isdecimal() and len(text) < 19 else None


def return_path(request: HttpRequest, default: str = "/") -> str:
    """Return where to go on: the form's `next`, else where it was sent from; never another host."""
    for wanted in (request.POST.get("next", ""), request.headers.get("Referer", "")):
        if wanted and url_has_allowed_host_and_scheme(
            wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        ):
            return wanted
    return default


def done(
    request: HttpRequest, answer: Answer | None, text: str, *, to: str | None = None
) -> HttpResponse:
    """Say what was done and go on to a page; a replayed command says that it was done before."""
    if answer is not None and answer.replayed:
        messages.info(request, f"{text} (This was done already; nothing happened twice.)")
    else:
        messages.success(request, text)
    return redirect(to or return_path(request))
