"""Registered models: what answers, since when, on whose approval; roll back, alerts, a try."""

import http.client
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from personas.actions import issue_token, revoke_token
from personas.errors import Busy, DomainError, Invalid
from pipelines.monitoring.actions import acknowledge, resolve
from pipelines.monitoring.models import Alert
from pipelines.monitoring.standing import Input, Standing, portfolio, standing
from pipelines.registry.actions import roll_back
from portal import access
from portal.web.errors import change, form_page, page
from portal.web.forms import actor_of, done, key_of, text_of, user_of

PREFIX = "i."
LIFETIME = timedelta(minutes=1)
SECONDS = 10.0  # that the prediction process may take to answer a try
WHOLE = ("integer", "int")
NUMBERS = (*WHOLE, "number", "float")


@page
def models(request: HttpRequest) -> HttpResponse:
    """Show the models the person may see."""
    context = {"section": "models", "models": portfolio(user_of(request))}
    return render(request, "models/models.html", context)


@form_page
def model(request: HttpRequest, name: str) -> HttpResponse:
    """Show how a model stands; a POST asks it for one prediction."""
    user = user_of(request)
    view = standing(user, access.model_for(user, name))
    if request.method != "POST":
        return _show(request, view, {})
    given = {one.name: text_of(request, PREFIX + one.name) for one in view.inputs}
    try:
        if view.not_predicting is not None:
            raise view.not_predicting
        row = _row(view.inputs, given)
        answer = _ask(request, view.model.name, row)
    except Invalid as error:
        return _show(request, view, given, problems=error.fields, status=422)
    except DomainError as error:
        status = 503 if isinstance(error, Busy) else 409
        return _show(request, view, given, refused=error, status=status)
    return _show(request, view, given, answer=answer)


@change
def rollback(request: HttpRequest, name: str) -> HttpResponse:
    """End the canary, else put the last live version back."""
    found = access.model_for(user_of(request), name)
    answer = roll_back(
        actor=actor_of(request),
        model=found,
        reason=text_of(request, "reason"),
        key=key_of(request),
    )
    return done(request, answer, "Rolled back.", to=_address(name))


@change
def acknowledge_alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that one is on it."""
    alert = access.alert_for(user_of(request), pk)
    answer = acknowledge(actor=actor_of(request), alert=alert, key=key_of(request))
    return done(request, answer, "You are on it.", to=_back(request, alert))


@change
def resolve_alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Close an alert, saying what was done."""
    alert = access.alert_for(user_of(request), pk)
    answer = resolve(
        actor=actor_of(request),
        alert=alert,
        resolution=_resolution(request),
        key=key_of(request),
    )
    return done(request, answer, "The alert is resolved.", to=_back(request, alert))


def _resolution(request: HttpRequest) -> str:
    """Return what was done; where a response of the menu was chosen, it comes first."""
    response, text = text_of(request, "response"), text_of(request, "resolution")
    return f"{response}: {text}" if response and text.strip() else text


def _back(request: HttpRequest, alert: Alert) -> str:
    """Return the page that the answer was given on: the monitor, else the model."""
    if request.POST.get("back") == "monitor":
        return f"{reverse('web:monitor', args=[alert.model.use_case.key])}#alert-{alert.pk}"
    return _address(alert.model.name)


def _address(name: str) -> str:
    return reverse("web:model", args=[name])


def _row(inputs: tuple[Input, ...], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the row that was typed in; an empty field is a missing value. Raises Invalid."""
    row: dict[str, Any] = {}
    problems: dict[str, list[str]] = {}
    for one in inputs:
        text = given[one.name]
        try:
            row[one.name] = _value(one.type, text)
        except ValueError:
            problems[one.name] = [f"must be a {one.type}, got {text!r}"]
    if problems:
        raise Invalid("Some inputs need another look.", fields=problems)
    return row


def _value(kind: str, text: str) -> Any:
    """Return an input's value. Raises ValueError."""
    if not text:
        return None
    if kind in NUMBERS:
        value = float(text.replace("\u202f", "").replace(" ", ""))
        if kind in WHOLE and not value.is_integer():
            raise ValueError(text)
        return int(value) if kind in WHOLE else value
    if kind == "boolean":
        if text not in ("true", "false"):
            raise ValueError(text)
        return text == "true"
    return text


def _text(example: Any) -> str:
    """Return an example as somebody would type it: a whole number without its point."""
    if example is None:
        return ""
    if isinstance(example, bool):
        return str(example).lower()
    if isinstance(example, float) and example.is_integer():
        return str(int(example))
    return str(example)


def _ask(request: HttpRequest, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the prediction process as this person. Raises Invalid, DomainError, Busy.

    The token lives for one question: web never imports what is needed to predict.
    """
    actor, user = actor_of(request), user_of(request)
    token, secret = issue_token(
        actor=actor, user=user, name="a try on the page", scopes=["predict"], lifetime=LIFETIME
    )
    try:
        status, body = _post(
            f"/v1/models/{name}/predict",
            {"rows": [row], "keys": [f"try-{uuid4().hex[:12]}"]},
            secret,
        )
    finally:
        revoke_token(actor=actor, token=token)
    if status == 200:
        first: dict[str, Any] = body["predictions"][0]
        return {**first, "request": body["request"], "fallback": body.get("fallback", "")}
    message = str(body.get("detail") or body.get("title") or "It was refused.")
    if status == 422:
        raise Invalid(message, fields=_problems(body) or {"row": [message]})
    raise DomainError(str(body.get("code", "refused")), message)


def _problems(body: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what the prediction process found wrong, by input."""
    found: dict[str, list[str]] = {k: list(v) for k, v in (body.get("fields") or {}).items()}
    for row in body.get("rows") or []:
        found.setdefault(str(row.get("column")), []).append(str(row.get("message")))
    return found


def _post(path: str, body: Mapping[str, Any], secret: str) -> tuple[int, dict[str, Any]]:
    """Send JSON to the prediction process; status and body. Raises Busy where it is away."""
    place = urlsplit(settings.SERVE_URL)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.hostname or "127.0.0.1", place.port, timeout=SECONDS)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    try:
        connection.request("POST", place.path + path, json.dumps(body), headers)
        answer = connection.getresponse()
        found = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Busy(
            "serve_away", f"The prediction process does not answer at {settings.SERVE_URL}."
        ) from error
    finally:
        connection.close()
    return answer.status, found if isinstance(found, dict) else {}


def _show(
    request: HttpRequest,
    view: Standing,
    given: Mapping[str, str],
    *,
    answer: Mapping[str, Any] | None = None,
    problems: Mapping[str, Any] | None = None,
    refused: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    found = problems or {}
    fields = [
        (one, given.get(one.name, _text(one.example)), found.get(one.name)) for one in view.inputs
    ]
    known = {one.name for one in view.inputs}
    context = {
        "section": "models",
        "self": _address(view.model.name),
        "now": view.now,
        "view": view,
        "fields": fields,
        "answer": answer,
        "others": {name: texts for name, texts in found.items() if name not in known},
        "problems": found,
        "refused": refused,
    }
    return render(request, "models/model.html", context, status=status)
