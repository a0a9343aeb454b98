"""One run: how it stands, what computes, what came out, and what may be done about it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from personas.errors import Invalid
from personas.people import PERSONAS
from pipelines.runs.actions import runs, stages, steps
from pipelines.runs.actions.verdicts import REASON_CODES
from pipelines.runs.helping import CODES
from pipelines.runs.queries import run as queries
from pipelines.runs.queries.comments import talk_on
from pipelines.runs.queries.track import lines
from portal import access
from portal.web import charts, track
from portal.web.errors import change, page
from portal.web.fields import json_of
from portal.web.forms import actor_of, done, key_of, text_of, user_of

SAID = {
    "start": "The run is under way.",
    "pause": "The run is paused: nothing new starts, what computes is finished.",
    "resume": "The run goes on; deadlines have the working time left that they had.",
    "cancel": "The run is being cancelled.",
    "give-up": "The run was given up.",
}


@page
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the run."""
    user = user_of(request)
    found = access.run_for(user, pk)
    view = queries.run_view(user, found)
    spent = view.times
    context = {
        "section": "use_cases",
        "streams": f"run:{found.pk}",
        "now": view.now,
        "view": view,
        "picture": track.draw(view.track),
        "lines": lines(view.track),
        "parts": charts.parts(
            [
                ("compute", "computing", spent.computing.total_seconds()),
                ("queue", "queued", spent.queued.total_seconds()),
                ("later", "waiting to try again, or for traffic", spent.later.total_seconds()),
                ("people", "waiting for people", spent.people.total_seconds()),
            ]
        ),
        "talk": talk_on(user, found, settles=view.seated),
        "reason_codes": REASON_CODES,
        "help_codes": CODES,
        "personas": PERSONAS,
    }
    return render(request, "runs/run.html", context)


@change
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Start a run that was prepared."""
    found = access.run_for(user_of(request), pk)
    answer = runs.start(actor=actor_of(request), run=found, key=key_of(request))
    return done(request, answer, SAID["start"], to=_address(pk))


@change
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a paused run go on."""
    found = access.run_for(user_of(request), pk)
    answer = runs.resume(actor=actor_of(request), run=found, key=key_of(request))
    return done(request, answer, SAID["resume"], to=_address(pk))


@change
def stop(request: HttpRequest, pk: str, verb: str) -> HttpResponse:
    """Pause, cancel or give up the run, for the reason that is given."""
    found = access.run_for(user_of(request), int(pk))
    action = {"pause": runs.pause, "cancel": runs.cancel, "give-up": runs.give_up}[verb]
    answer = action(
        actor=actor_of(request), run=found, reason=text_of(request, "reason"), key=key_of(request)
    )
    return done(request, answer, SAID[verb], to=_address(int(pk)))


@change
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a stage that nobody owns."""
    stage = access.stage_for(user_of(request), pk)
    answer = stages.take(actor=actor_of(request), stage=stage, key=key_of(request))
    return done(request, answer, f"You own {stage.key} now.", to=_address(stage.run_id))


@change
def rerun(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the stage's next round."""
    stage = access.stage_for(user_of(request), pk)
    answer = stages.rerun(
        actor=actor_of(request),
        stage=stage,
        reason=text_of(request, "reason"),
        refuse_cache=request.POST.get("refuse_cache") == "yes",
        key=key_of(request),
    )
    said = f"Round {answer.data['round']} of {stage.key} is under way."
    return done(request, answer, said, to=_address(stage.run_id))


@change
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a failed stage back to an earlier one."""
    stage = access.stage_for(user_of(request), pk)
    target = text_of(request, "target")
    answer = stages.send_back(
        actor=actor_of(request),
        stage=stage,
        target=target,
        reason=text_of(request, "reason"),
        reason_code=text_of(request, "reason_code"),
        key=key_of(request),
    )
    return done(request, answer, f"Sent back to {target}.", to=_address(stage.run_id))


@change
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a failed step again, with other parameters where some are given."""
    step = access.step_for(user_of(request), pk)
    answer = steps.retry(
        actor=actor_of(request),
        step=step,
        overrides=_overrides(text_of(request, "overrides")),
        refuse_cache=request.POST.get("refuse_cache") == "yes",
        key=key_of(request),
    )
    return done(request, answer, f"{step.key} is tried again.", to=_address(step.run_id))


def _overrides(text: str) -> dict[str, Any]:
    """Return parameters given one a line as `name = value`. Raises Invalid naming the line."""
    found: dict[str, Any] = {}
    problems = []
    for number, line in enumerate(text.splitlines(), start=1):
        name, sign, value = line.partition("=")
        if not line.strip():
            continue
        if not sign or not name.strip():
            problems.append(f"line {number} must read name = value, got {line.strip()!r}")
            continue
        found[name.strip()] = _value(value.strip())
    if problems:
        raise Invalid("The step cannot be retried so.", fields={"overrides": problems})
    return found


def _value(text: str) -> Any:
    """Return what a value says: a number, truth, list or map in JSON, else the text itself."""
    return json_of(text)


def _address(pk: int) -> str:
    return reverse("web:run", args=[pk])
