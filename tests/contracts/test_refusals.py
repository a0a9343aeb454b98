"""Every refusal on every route, from the list of routes that Django's resolver gives."""

import json
import re
import uuid
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as DjangoClient
from django.urls import URLPattern, get_resolver
from rest_framework.test import APIClient

from personas.models import User
from pipelines.runs.actions import help as requests
from pipelines.runs.actions import items, runs, stages
from pipelines.runs.models import Gate, Run, WorkItem
from portal.web.urls import urlpatterns as web_routes
from tests.api import world
from tests.cast import Cast, acting, person
from tests.contracts.refusals import API, EVER, HELD, MACHINES, OWN_FORM, PAGES, SHOWN, Row
from tests.contracts.test_api_schema import SNAPSHOT
from tests.domain import engine as f

PROBLEM = "application/problem+json"
NEEDED = {"type", "title", "status", "detail", "code", "retryable"}
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
UNKNOWN = {"pk": "987654321", "key": "no-such", "name": "no-such", "code": "XX",
           "kind": "no-such", "form": "no-such",
           "number": "987654321", "digest": "f" * 64}  # fmt: skip


CLIENTS: dict[int, APIClient] = {}


def under_way(cast: Cast) -> Run:
    """A run with everything open: a stage with an item, a failure, a review, a hand-off."""
    gate = f.gate("DS", checks=[{"name": "go_no_go"}])
    run = f.run(
        cast,
        f.stage("active", "BA", items=[f.form("brief", skippable=True)]),
        f.stage("broken", "BA", gate=f.gate("DS", send_back_to=["broken"])),
        f.stage("review", "DE", gate=gate),
        f.stage("given", "DE"),
        f.stage("taken", "MLE", needs=["given"]),
        f.stage("end", "BA", needs=["active", "broken", "review", "taken"]),
    )
    stages.take(actor=acting(cast.amara), stage=f.stage_of(run, "broken"))
    for _ in range(3):
        held = f.claim()
        f.fail(held) if held.params.get("message") == "broken" else f.settle(held)
    stages.take(actor=acting(cast.amara), stage=f.stage_of(run, "active"))
    items.claim(actor=acting(cast.amara), item=f.item_of(run, "brief"))
    ask = {"persona": "MLE", "question": "how?"}
    requests.ask(actor=acting(cast.amara), stage=f.stage_of(run, "active"), **ask)
    return run


def things_of(cast: Cast, run: Run) -> dict[str, Any]:
    """Values of each address's parameters by noun: of the run under way where it has one."""
    made = world.make(cast)
    gate = Gate.objects.get(run=run)
    brief = f.item_of(run, "brief")
    mine = {
        "runs": run, "stages": f.stage_of(run, "active"), "steps": f.step_of(run, "work", "broken"),
        "items": brief, "gates": gate, "hand-offs": f.hand_off_of(run), "checks": gate.checks.get(),
    }  # fmt: skip
    made |= {noun: {**made.get(noun, {}), "pk": row.pk} for noun, row in mine.items()}
    helped = WorkItem.objects.get(run=run, kind="help")
    made["of"] = {"help": helped.pk, "broken": f.stage_of(run, "broken").pk}
    seen = made["use-cases"]["seen"]
    return {**made, "digest": gate.subject_digest, "version": brief.version, "seen": seen}


@pytest.fixture
def people(cast: Cast) -> Cast:
    """The cast; Tomas may override."""
    cast.tomas.capabilities = ["gate.override"]
    cast.tomas.save()
    return cast


@pytest.fixture
def things(people: Cast) -> dict[str, Any]:
    return things_of(people, under_way(people))


def routes() -> Iterator[tuple[str, str]]:
    """Every method that changes something, with its address."""
    for route in world.routes():
        for method in sorted(world.methods(route) - {"GET"}):
            yield method, PARAMETER.sub(r"{\1}", str(route.pattern))


def address(pattern: str, things: dict[str, Any], of: str = "") -> str:
    known = dict(things.get(pattern.split("/")[0], {}))
    if of:
        known["pk"] = things["of"][of]
    return "/api/v1/" + pattern.format(**known)


def ask(user: User, method: str, where: str, body: Any, **headers: str) -> Any:
    client = CLIENTS.get(user.pk) or CLIENTS.setdefault(user.pk, APIClient())
    client.force_authenticate(user)
    sent = {"Idempotency-Key": uuid.uuid4().hex, **headers}
    if "file" in body:
        file = SimpleUploadedFile("a.csv", body["file"].encode())
        parts = {"file": file} if body["file"] else {}
        return client.post(where, parts, format="multipart", headers=sent)
    if "toml" in body:
        text, media = body["toml"], "application/toml"
    else:
        text, media = json.dumps(body), "application/json"
    return client.generic(method, where, text, content_type=media, headers=sent)


def body_of(row: Row, things: dict[str, Any]) -> dict[str, Any]:
    return dict(row.body(things) if callable(row.body) else row.body)


def user_of(cast: Cast, login: str) -> User:
    if login != "auditor":
        return getattr(cast, login)
    made = User.objects.filter(username="auditor").first()
    return made or person("auditor", "Auditor", capabilities=("read_all",))


def problem(answer: Any) -> dict[str, Any]:
    """The body of a refusal, which is always a whole one."""
    assert answer.headers["Content-Type"] == PROBLEM, answer.content[:300]
    body = answer.json()
    assert set(body) >= NEEDED
    assert body["status"] == answer.status_code
    return body


def test_every_route_has_a_row() -> None:
    """A new route is classified in tests/contracts/refusals.py, or this fails."""
    found = [f"{method} {pattern}" for method, pattern in routes()]
    assert sorted(found) == sorted(API)
    patterns = [str(route.pattern) for route in world.routes()]
    assert sorted(patterns) == sorted(set(patterns)), "an address that is hidden by another one"


def test_403_names_the_rule(people: Cast, things: dict[str, Any]) -> None:
    wrong = []
    for method, pattern in routes():
        row = API[f"{method} {pattern}"]
        if not row.may_not:
            continue
        body = {**body_of(row, things), **row.more}
        user = user_of(people, row.may_not)
        answer = ask(user, method, address(pattern, things, row.of), body)
        said = problem(answer)
        if (answer.status_code, said["code"]) != (409 if row.rule == HELD else 403, row.rule):
            wrong.append((method, pattern, answer.status_code, said["code"], said.get("fields")))
    assert not wrong, "\n".join(map(str, wrong))


def test_404_of_what_is_not_there(people: Cast, things: dict[str, Any]) -> None:
    """An unknown id, and ones that no column could hold."""
    wrong = []
    for unknown in (UNKNOWN, {**UNKNOWN, "pk": "9" * 40, "number": "9" * 40, "key": "x" * 300}):
        for route in world.routes():
            pattern = PARAMETER.sub(r"{\1}", str(route.pattern))
            if "{" not in pattern:
                continue
            for method in sorted(world.methods(route)):
                row = API.get(f"{method} {pattern}")
                user = user_of(people, row.may if row else "amara")
                body = body_of(row, things) if row else {}
                answer = ask(user, method, "/api/v1/" + pattern.format(**unknown), body)
                if answer.status_code != 404 or problem(answer)["code"] == "defect":
                    wrong.append((method, pattern, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))


@cache
def published() -> dict[str, Any]:
    """The published schema, whose agreement with the code is a test of its own."""
    found: dict[str, Any] = yaml.safe_load(SNAPSHOT.read_text(encoding="utf-8"))
    return found


def fields_of(method: str, pattern: str, media: str) -> dict[str, dict[str, Any]]:
    """The fields of an address's JSON body, as the published schema says."""
    schema = published()
    places = {re.sub(r"{\w+}", "{}", path): path for path in schema["paths"]}
    path = places["/api/v1/" + re.sub(r"{\w+}", "{}", pattern)]
    body = schema["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    named = body.get(media, {}).get("schema", {})
    if "$ref" not in named:
        return {}
    found = schema["components"]["schemas"][named["$ref"].rsplit("/", 1)[-1]]
    required = found.get("required", [])
    return {
        name: {**one, "required": name in required} for name, one in found["properties"].items()
    }


def wrong_value(one: dict[str, Any]) -> Any:
    """What a field of this kind cannot be."""
    kind = one.get("type", "")
    kinds = kind if isinstance(kind, list) else [kind]
    return "neither" if set(kinds) & {"integer", "boolean", "array", "object"} else {"no": "text"}


@pytest.mark.parametrize("way", ["nothing", "wrong kinds", "blank", "unknown"])
def test_422_names_every_field(people: Cast, things: dict[str, Any], way: str) -> None:
    wrong = []
    for method, pattern in routes():
        row = API[f"{method} {pattern}"]
        body = body_of(row, things)
        media = "multipart/form-data" if "file" in body else "application/json"
        fields = fields_of(method, pattern, media)
        if "toml" in body or ("file" in body and way != "nothing"):
            continue
        required = {name for name, one in fields.items() if one["required"]}
        texts = {n for n in required if fields[n].get("type") == "string"}
        sent, expected = {
            "nothing": ({"file": ""} if "file" in body else {}, required),
            "wrong kinds": ({n: wrong_value(one) for n, one in fields.items()}, set(fields)),
            "blank": ({**body, **dict.fromkeys(texts, "")}, texts),
            "unknown": ({**body, "no_such": 1}, {"no_such"}),
        }[way]
        if not expected or (way == "unknown" and method == "DELETE"):
            continue
        answer = ask(user_of(people, row.may), method, address(pattern, things, row.of), sent)
        found = set(problem(answer).get("fields", {})) if answer.status_code >= 400 else set()
        if answer.status_code != 422 or not expected <= {n.split(".")[0] for n in found}:
            wrong.append((method, pattern, answer.status_code, expected - found, answer.content))
    assert not wrong, "\n".join(map(str, wrong))


def test_422_of_a_key_that_belongs_to_another_request(people: Cast, things: dict[str, Any]) -> None:
    """So every POST keeps its receipt; PATCH, PUT and DELETE are repeatable as they are."""
    wrong = []
    for method, pattern in routes():
        row = API[f"{method} {pattern}"]
        if method != "POST" or pattern == "blueprints/lint":
            continue
        user = user_of(people, row.may)
        ask(user, "POST", "/api/v1/tokens", {"name": "x", "scopes": ["read"]},
            **{"Idempotency-Key": f"used by {user.pk}"})  # fmt: skip
        where = address(pattern, things, row.of)
        key = {"Idempotency-Key": f"used by {user.pk}"}
        answer = ask(user, method, where, body_of(row, things), **key)
        if answer.status_code != 422 or list(problem(answer)["fields"]) != ["Idempotency-Key"]:
            wrong.append((method, pattern, answer.status_code, answer.content))
    assert not wrong, "\n".join(map(str, wrong))


IN_A_RUN = ("runs", "stages", "steps", "items", "gates", "hand-offs", "checks")


@pytest.mark.parametrize("way", ["pause", "cancel"])
def test_409_says_who_when_and_what_now(people: Cast, things: dict[str, Any], way: str) -> None:
    """Priya was first: she paused the run, or ended it."""
    run = Run.objects.get(pk=things["runs"]["pk"])
    getattr(runs, way)(actor=acting(people.priya), run=run, reason="not now")
    f.perform()
    wrong = []
    for method, pattern in routes():
        row = API[f"{method} {pattern}"]
        if pattern.split("/")[0] not in IN_A_RUN or (way == "pause" and pattern[:4] == "runs"):
            continue
        if pattern in EVER:
            continue
        user = user_of(people, row.may)
        answer = ask(user, method, address(pattern, things, row.of), body_of(row, things))
        said = problem(answer) if answer.status_code >= 400 else {}
        told = (said.get("by"), bool(said.get("at")), bool(said.get("state")))
        if answer.status_code not in (409, 410) or told != ("Priya Nair", True, True):
            wrong.append((method, pattern, answer.status_code, said))
    assert not wrong, "\n".join(map(str, wrong))


# --- pages ---------------------------------------------------------------------------------------


def page_patterns() -> list[str]:
    """Every address of the pages; one per verb where the address holds a verb."""
    found = []
    for route in web_routes:
        pattern = PARAMETER.sub(r"{\1}", str(route.pattern))
        verbs = re.search(r"\(\?P{verb}([\w|-]+)\)\$", pattern)
        if verbs is None:
            found.append(pattern)
            continue
        start = re.sub(r"\(\?P{pk}[^)]*\)", "{pk}", pattern[: verbs.start()].lstrip("^"))
        found += [start + verb for verb in verbs[1].split("|")]
    return found


def posts() -> Iterator[tuple[str, Row, str, dict[str, str]]]:
    """Each page that changes something, with the row of its action."""
    for pattern in page_patterns():
        for key, form in PAGES.get(pattern, ()):
            yield pattern, API[key], key, dict(form)


def page_address(pattern: str, things: dict[str, Any], row: Row) -> str:
    noun = pattern.removeprefix("inbox/").split("/")[0]
    noun = {"away": "delegations", "seats": "use-cases", "settings": "tokens"}.get(noun, noun)
    known = {**things.get(noun, {}), **({"pk": things["of"][row.of]} if row.of else {})}
    return "/" + pattern.format(**known)


def post(user: User, where: str, form: dict[str, str], things: dict[str, Any]) -> Any:
    client = DjangoClient()
    client.force_login(user)
    filled = {name: value.format(**things) for name, value in form.items()}
    return client.post(where, {**filled, "idempotency_key": uuid.uuid4().hex})


@pytest.fixture
def shown(people: Cast, things: dict[str, Any]) -> dict[str, Any]:
    return {**things, "noor": people.noor.pk}


def test_every_page_has_a_row() -> None:
    """A new page is classified in tests/contracts/refusals.py, or this fails."""
    assert sorted(page_patterns()) == sorted([*PAGES, *SHOWN])
    top = {str(one.pattern): one for one in get_resolver().url_patterns}
    assert {name for name, one in top.items() if isinstance(one, URLPattern)} == set(MACHINES)
    assert set(top) - set(MACHINES) == {"api/v1/", "console/", ""}


def test_pages_send_strangers_to_the_door(shown: dict[str, Any]) -> None:
    wrong = []
    for pattern in page_patterns():
        known = shown.get(pattern.removeprefix("inbox/").split("/")[0], {})
        where = "/" + pattern.format(
            **{"pk": 1, "key": "x", "name": "x", "digest": "x", "theme": "light", **known}
        )
        for method in ("GET", "POST", "PUT", "DELETE"):
            answer = DjangoClient().generic(method, where)
            sent = answer.status_code == 302 and answer["Location"].startswith("/sign-in/")
            # A stream that nobody may hear ends with 204, or the browser would ask for ever.
            door = pattern in ("sign-in/", "sign-out/", "events/")
            if not sent and answer.status_code != 405 and not door:
                wrong.append((method, where, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))


def test_pages_refuse_by_the_same_rule(people: Cast, shown: dict[str, Any]) -> None:
    wrong = []
    for pattern, row, key, form in posts():
        if not row.may_not or pattern in OWN_FORM:
            continue
        user = user_of(people, row.may_not)
        answer = post(user, page_address(pattern, shown, row), form, shown)
        expected = 409 if row.rule == HELD else 403
        said = answer.content.decode()
        if answer.status_code != expected or (expected == 403 and row.rule not in said):
            wrong.append((pattern, key, answer.status_code, row.rule))
    assert not wrong, "\n".join(map(str, wrong))


def test_pages_find_nothing_unknown_and_nothing_of_others(
    people: Cast, shown: dict[str, Any]
) -> None:
    wrong = []
    for pattern, row, key, form in posts():
        if "{" not in pattern:
            continue
        unknown = "/" + pattern.format(**UNKNOWN)
        for user, where in (
            (user_of(people, row.may), unknown),
            (people.iris, page_address(pattern, shown, row)),
        ):
            answer = post(user, where, form, shown)
            if answer.status_code != 404:
                wrong.append((pattern, key, user.username, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))


# They keep whatever is filled in so far; the page that one comes back to says what is wrong.
KEEPS_WHAT_IS_THERE = ("items/{pk}/draft", "use-cases/{key}/source")
# Nothing filled in is an answer: the persona's own point, English, a tour that is put away.
NOTHING_IS_SAID_TOO = ("people/map/", "settings/", "help/tour")


def test_pages_ask_for_another_look(people: Cast, shown: dict[str, Any]) -> None:
    """An empty form is a 422 where the form asks for anything at all."""
    wrong = []
    for pattern, row, key, form in posts():
        if pattern in (*KEEPS_WHAT_IS_THERE, *NOTHING_IS_SAID_TOO):
            continue
        asked = {name for name in form if name not in ("do", "code", "drop", "seat.DS", "version")}
        if not asked:
            continue
        empty = {name: value if name in ("do", "version") else "" for name, value in form.items()}
        answer = post(user_of(people, row.may), page_address(pattern, shown, row), empty, shown)
        if answer.status_code != 422:
            wrong.append((pattern, key, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))


def test_pages_say_who_was_first(people: Cast, shown: dict[str, Any]) -> None:
    run = Run.objects.get(pk=shown["runs"]["pk"])
    runs.cancel(actor=acting(people.priya), run=run, reason="not now")
    f.perform()
    wrong = []
    for pattern, row, key, form in posts():
        if pattern.removeprefix("inbox/").split("/")[0] not in IN_A_RUN or pattern in EVER:
            continue
        where = page_address(pattern, shown, row)
        answer = post(user_of(people, row.may), where, form, shown)
        said = answer.content.decode()
        if answer.status_code not in (409, 410) or (
            "Priya Nair" not in said and pattern != "items/{pk}/draft"
        ):
            wrong.append((pattern, key, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))
