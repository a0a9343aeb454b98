"""Comments from the pages: say, answer, resolve, reopen, withdraw."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from personas.commands import Answer
from personas.errors import Busy, Invalid
from pipelines.runs.actions import comments
from pipelines.runs.models import Run
from portal import access
from portal.web.errors import change
from portal.web.forms import actor_of, done, key_of, return_path, text_of, user_of, whole_of

VERBS: dict[str, Callable[..., Answer]] = {
    "resolve": comments.resolve,
    "reopen": comments.reopen,
    "withdraw": comments.withdraw,
}


@change
def on_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Comment on a run, or on something in it."""
    run = access.run_for(user_of(request), pk)
    return _add(request, run, reverse("web:run", args=[pk]))


@change
def on_use_case(request: HttpRequest, key: str) -> HttpResponse:
    """Comment on a use case."""
    use_case = access.use_case_for(user_of(request), key)
    return _add(request, use_case, reverse("web:use_case", args=[key]))


def _add(request: HttpRequest, topic: Any, page: str) -> HttpResponse:
    """Keep the comment and go back to it; what cannot be kept is shown again as it was typed."""
    remark = comments.Remark(
        text=text_of(request, "text"),
        anchor=text_of(request, "anchor"),
        place=text_of(request, "place"),
        gate=whole_of(request, "gate"),
        reply_to=whole_of(request, "reply_to"),
    )
    back = return_path(request, page)
    try:
        answer = comments.add(
            actor=actor_of(request), topic=topic, remark=remark, key=key_of(request)
        )
    except (Invalid, Busy) as error:  # nothing of what was typed is lost
        context = {
            "section": "use_cases",
            "run": topic if isinstance(topic, Run) else None,
            "use_case": topic.use_case if isinstance(topic, Run) else topic,
            "remark": remark,
            "problems": error.fields if isinstance(error, Invalid) else {"text": [error.message]},
            "back": back,
        }
        if isinstance(error, Invalid):
            return render(request, "comments/again.html", context, status=422)
        again = render(request, "comments/again.html", context, status=503)
        again["Retry-After"] = "2"
        return again
    to = f"{back.partition('#')[0]}#comment-{answer.data['comment']}"
    return done(request, answer, _("Your comment is there."), to=to)


@change
def act(request: HttpRequest, pk: str, verb: str) -> HttpResponse:
    """Resolve, reopen or withdraw a comment."""
    comment = access.comment_for(user_of(request), int(pk))
    answer = VERBS[verb](actor=actor_of(request), comment=comment, key=key_of(request))
    said = {
        "resolve": _("The comment is resolved."),
        "reopen": _("The comment is open again."),
        "withdraw": _("Your comment is withdrawn."),
    }
    run = comment.run_id
    page = reverse("web:run", args=[run]) if run else _page_of(comment.use_case.key)
    to = f"{return_path(request, page).partition('#')[0]}#comment-{pk}"
    return done(request, answer, said[verb], to=to)


def _page_of(key: str) -> str:
    return reverse("web:use_case", args=[key])
