"""The table of refusals: one row per route that changes something, of the API and of the pages.

`test_refusals.py` walks Django's resolver and asks every route; a route without a row fails it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.notifications.kinds import KINDS
from tests.cast import PASSWORD

Body = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]]
DAY, LATER = "2031-05-05", "2031-05-06T00:00:00Z"
REASON = {"reason": "because of the test"}
CODED = {**REASON, "reason_code": "quality"}
AWAY = {"since": LATER, "until": "2031-05-09T00:00:00Z"}
ASK = {"persona": "MLE", "question": "how?"}
HOURS = {"mon": ["09:00-17:00"]}
SHOP = {"kind": "sqlite", "address": "sqlite:///srv/shop.sqlite"}
MANAGE = "capability.operations.manage"
LABEL = {"key": "k", "value": 1, "observed_at": "2026-01-01T00:00:00Z"}
PLAN = """
key = "tiny"
title = "Tiny"
summary = "One stage."

[[stages]]
key = "one"
title = "One"
persona = "BA"

  [[stages.steps]]
  key = "work"
  operation = "noop"
"""
HELD = "claimed_by_other"  # a 409, with who holds it
OPEN = "open to everybody signed in: what one makes is one's own"


@dataclass(frozen=True)
class Row:
    """Who may, with which body; who may not, although they see the thing, and by which rule.

    Where everybody may, `rule` says why nobody is refused.
    """

    may: str
    body: Body
    may_not: str
    rule: str
    of: str = ""  # the thing asked of, where it is not the usual one of its noun
    more: Mapping[str, Any] = field(default_factory=dict)  # what makes the body a forbidden one


def decision(things: dict[str, Any]) -> dict[str, Any]:
    """A verdict on what is under review."""
    return {"verdict": "approve", "seen": things["digest"]}


def filled(things: dict[str, Any]) -> dict[str, Any]:
    """A form with its only field filled in."""
    return {"data": {"text": "done"}, "version": things["version"]}


def override(things: dict[str, Any]) -> dict[str, Any]:
    """The same, against the rules."""
    return {**decision(things), **REASON}


def attested(things: dict[str, Any]) -> dict[str, Any]:
    """A statement on the package of the release."""
    return {"test": "Infra7", "statement": "walked through it", "seen": things["seen"]}


MOVE = {"version": 1, "seen": "0" * 64, **REASON}

# Of the API, by method and address; of the pages by address and the body's button (`do`).
API: dict[str, Row] = {
    "POST alerts/{pk}/acknowledge": Row("priya", {}, "kenji", "alert.answer"),
    "POST alerts/{pk}/resolve": Row("priya", {"resolution": "done"}, "kenji", "alert.answer"),
    "POST attestations/{pk}/withdraw": Row("tomas", REASON, "kenji", "attestation.signer"),
    "POST artefacts": Row("amara", {"file": "a,b\n1,2\n"}, "", OPEN),
    "POST blueprints": Row("priya", {"toml": PLAN}, "amara", "capability.blueprint.publish"),
    "POST blueprints/lint": Row("amara", {"toml": PLAN}, "", OPEN),
    "PUT calendars/{code}": Row(
        "priya",
        {"zone": "UTC", "hours": HOURS, "holidays": []},
        "amara",
        "capability.operations.manage",
    ),
    "POST checks/{pk}/waive": Row("priya", {**REASON, "days": 3}, "kenji", "gate.waive"),
    "POST comments/{pk}/reopen": Row("amara", {}, "auditor", "comment.seat"),
    "POST comments/{pk}/resolve": Row("amara", {}, "auditor", "comment.seat"),
    "POST comments/{pk}/withdraw": Row("amara", {}, "kenji", "comment.author"),
    "POST connections": Row("priya", {"name": "store", **SHOP}, "amara", MANAGE),
    "PUT connections/{name}": Row("priya", SHOP, "", "who manages no operations sees none: 404"),
    "DELETE connections/{name}": Row("priya", {}, "", "who manages no operations sees none: 404"),
    "POST delegations": Row("priya", {"giver": "amara", **AWAY}, "kenji", "delegation.giver"),
    "POST delegations/{pk}/end": Row("amara", {}, "", "only who is concerned sees it: 404"),
    "POST findings/{pk}/extend": Row("sofia", {**REASON, "days": 20}, "kenji", "gate.persona"),
    "POST findings/{pk}/resolve": Row("amara", {"evidence": "e"}, "kenji", "finding.persona"),
    "POST gates/{pk}/confirm": Row("sofia", {}, "", "who has no verdict in force gets 409"),
    "POST gates/{pk}/decisions": Row("sofia", decision, "kenji", "gate.persona"),
    "POST gates/{pk}/look": Row("sofia", {}, "auditor", "look.seat"),
    "POST gates/{pk}/override": Row("tomas", override, "kenji", "gate.override"),
    "POST gates/{pk}/reopen": Row("priya", REASON, "kenji", "gate.reopen"),
    "POST hand-offs/{pk}/accept": Row("lena", {}, "kenji", "hand_off.persona"),
    "POST hand-offs/{pk}/offer": Row("dmitri", {"answers": {}}, "kenji", "stage.persona"),
    "POST hand-offs/{pk}/rerun-contract": Row("dmitri", {}, "kenji", "stage.persona"),
    "POST hand-offs/{pk}/return": Row("lena", CODED, "kenji", "hand_off.persona"),
    "POST hand-offs/{pk}/withdraw": Row("dmitri", REASON, "kenji", "stage.persona"),
    "POST items/{pk}/assign": Row("priya", {"to": "amara", **REASON}, "kenji", "run.manage"),
    "POST items/{pk}/claim": Row("amara", {}, "kenji", "item.persona"),
    "POST items/{pk}/complete": Row("amara", filled, "kenji", "item.persona"),
    "POST items/{pk}/delegate": Row("amara", {"to": "noor"}, "kenji", HELD),
    "POST items/{pk}/draft": Row("amara", filled, "kenji", HELD),
    "POST items/{pk}/escalate": Row("amara", REASON, "kenji", "item.escalate"),
    "POST items/{pk}/hold": Row("amara", {"follow_up": DAY}, "kenji", HELD),
    "POST items/{pk}/resolve": Row("amara", {"note": "n"}, "kenji", HELD),
    "POST items/{pk}/resume": Row("amara", {}, "kenji", HELD),
    "POST items/{pk}/skip": Row("priya", REASON, "kenji", "run.manage"),
    "POST items/{pk}/start": Row("amara", {}, "kenji", HELD),
    "POST items/{pk}/unclaim": Row("amara", {}, "kenji", "item.holder"),
    "POST items/{pk}/withdraw": Row("amara", REASON, "kenji", "stage.persona", of="help"),
    "POST me/tour": Row("amara", {"shown": False}, "", OPEN),
    "PATCH me": Row("amara", {"language": "de"}, "", "it is one's own"),
    "POST me/password": Row(
        "amara",
        {"current": PASSWORD, "new": "a long way to carry"},
        "",
        "it is one's own; a wrong password is a 422",
    ),
    "POST me/sign-out": Row("amara", {}, "", "it is one's own"),
    "POST models/{name}/labels": Row("amara", {"labels": [LABEL]}, "", OPEN),
    "POST models/{name}/rollback": Row("priya", REASON, "kenji", "model.roll_back"),
    "PATCH personas/{code}": Row("priya", {"ml_point": 50}, "amara", "capability.users.manage"),
    "POST runs/{pk}/cancel": Row("priya", REASON, "kenji", "run.manage"),
    "POST runs/{pk}/comments": Row("amara", {"text": "why?"}, "", "who sees it may comment"),
    "POST runs/{pk}/give-up": Row("priya", REASON, "kenji", "run.manage"),
    "POST runs/{pk}/move": Row("priya", MOVE, "kenji", "run.manage"),
    "POST runs/{pk}/pause": Row("priya", REASON, "kenji", "run.manage"),
    "POST runs/{pk}/resume": Row("priya", {}, "kenji", "run.manage"),
    "POST runs/{pk}/start": Row("amara", {}, "auditor", "run.seat"),
    "POST stages/{pk}/assign": Row("priya", {"owner": "amara", **REASON}, "kenji", "run.manage"),
    "POST stages/{pk}/help": Row("amara", ASK, "kenji", "stage.persona"),
    "POST stages/{pk}/rerun": Row("amara", REASON, "kenji", "stage.persona"),
    "POST stages/{pk}/send-back": Row(
        "amara", {"target": "broken", **CODED}, "kenji", "stage.persona", of="broken"
    ),
    "POST stages/{pk}/take": Row("amara", {}, "kenji", HELD),
    "POST steps/{pk}/retry": Row("amara", {}, "kenji", "stage.persona"),
    "POST tokens": Row(
        "amara",
        {"name": "n", "scopes": ["read"]},
        "kenji",
        "capability.users.manage",
        more={"user": "amara"},
    ),
    "DELETE tokens/{pk}": Row("amara", {}, "", "only whose it is sees it: 404"),
    "PATCH me/notifications": Row("amara", {"digest_hour": 7}, "", OPEN),
    "POST notifications/read": Row("amara", {"until": 1}, "", OPEN),
    "POST uploads/inspect": Row("amara", {"file": "a,b\n1,2\n"}, "", OPEN),
    "POST use-cases": Row("amara", {"title": "One more"}, "", OPEN),
    "PATCH use-cases/{key}": Row("amara", {"title": "Another"}, "kenji", "use_case.manage"),
    "POST use-cases/{key}/attestations": Row("priya", attested, "kenji", "attestation.persona"),
    "POST use-cases/{key}/comments": Row("amara", {"text": "why?"}, "", "who sees it may comment"),
    "POST use-cases/{key}/preview": Row(
        "amara", {"connection": "shop", "query": "SELECT 1"}, "kenji", "use_case.manage"
    ),
    "POST use-cases/{key}/retire": Row("amara", REASON, "kenji", "model.retire"),
    "POST use-cases/{key}/runs": Row("amara", {}, "auditor", "run.seat"),
    "POST use-cases/{key}/seats": Row(
        "amara", {"user": "noor", "persona": "DS"}, "kenji", "use_case.manage"
    ),
    "DELETE use-cases/{key}/seats/{pk}": Row("amara", {}, "kenji", "use_case.manage"),
    "POST users": Row("priya", {"username": "n", "name": "N"}, "amara", "capability.users.manage"),
    "POST views": Row("amara", {"page": "board", "name": "Mine"}, "", OPEN),
    "DELETE views/{pk}": Row("amara", {}, "", "only whose it is sees it: 404"),
    "POST users/{pk}/activate": Row("priya", {}, "", "who manages nobody sees nobody: 404"),
    "POST users/{pk}/deactivate": Row("priya", {}, "", "who manages nobody sees nobody: 404"),
}


# What a page posts, and the row of the API whose action it is: same people, same rules.
Pages = dict[str, tuple[tuple[str, Mapping[str, str]], ...]]
SPAN = {
    "ml_low": "1", "ml_point": "2", "ml_high": "3",
    "deployment_low": "1", "deployment_point": "2", "deployment_high": "3",
}  # fmt: skip
GATE = {"verdict": "approve", "seen": "{digest}"}
DO_REASON = {"reason": "because", "reason_code": "quality"}
TOLD = {"mail": "on", "digest_hour": "8", **{f"kind-{kind}": "digest" for kind in KINDS}}
PAGES: Pages = {
    "inbox/hand-offs/{pk}/accept": (("POST hand-offs/{pk}/accept", {}),),
    "inbox/items/{pk}/claim": (("POST items/{pk}/claim", {}),),
    "inbox/stages/{pk}/take": (("POST stages/{pk}/take", {}),),
    "use-cases/new/": (("POST use-cases", {"title": "One more"}),),
    "use-cases/{key}/columns/": (("PATCH use-cases/{key}", {"target": "late"}),),
    "use-cases/{key}/files": (("PATCH use-cases/{key}", {"drop": "none"}),),
    "use-cases/{key}/source": (
        ("POST use-cases/{key}/preview", {"connection": "shop", "query": "SELECT 1"}),
    ),
    "use-cases/{key}/start/": (("POST use-cases/{key}/runs", {}),),
    "use-cases/{key}/seats/": (("POST use-cases/{key}/seats", {"seat.DS": "{noor}"}),),
    "seats/{pk}/end": (("DELETE use-cases/{key}/seats/{pk}", {}),),
    "runs/{pk}/start": (("POST runs/{pk}/start", {}),),
    "runs/{pk}/resume": (("POST runs/{pk}/resume", {}),),
    "runs/{pk}/pause": (("POST runs/{pk}/pause", {"reason": "because"}),),
    "runs/{pk}/cancel": (("POST runs/{pk}/cancel", {"reason": "because"}),),
    "runs/{pk}/comments": (("POST runs/{pk}/comments", {"text": "why?"}),),
    "use-cases/{key}/comments": (("POST use-cases/{key}/comments", {"text": "why?"}),),
    "comments/{pk}/resolve": (("POST comments/{pk}/resolve", {}),),
    "comments/{pk}/reopen": (("POST comments/{pk}/reopen", {}),),
    "comments/{pk}/withdraw": (("POST comments/{pk}/withdraw", {}),),
    "runs/{pk}/move/": (
        ("POST runs/{pk}/move", {"version": "1", "seen": "0" * 64, "reason": "because"}),
    ),
    "runs/{pk}/give-up": (("POST runs/{pk}/give-up", {"reason": "because"}),),
    "stages/{pk}/take": (("POST stages/{pk}/take", {}),),
    "stages/{pk}/rerun": (("POST stages/{pk}/rerun", {"reason": "because"}),),
    "stages/{pk}/send-back": (("POST stages/{pk}/send-back", {"target": "broken", **DO_REASON}),),
    "stages/{pk}/help": (
        (
            "POST stages/{pk}/help",
            {"persona": "MLE", "question": "how?", "code": "other", "days": "2"},
        ),
    ),
    "steps/{pk}/retry": (("POST steps/{pk}/retry", {}),),
    "items/{pk}/": (("POST items/{pk}/complete", {"text": "done", "version": "{version}"}),),
    "items/{pk}/draft": (("POST items/{pk}/draft", {"text": "done", "version": "{version}"}),),
    "items/{pk}/claim": (("POST items/{pk}/claim", {}),),
    "items/{pk}/unclaim": (("POST items/{pk}/unclaim", {}),),
    "items/{pk}/hold": (("POST items/{pk}/hold", {"follow_up": DAY}),),
    "items/{pk}/delegate": (("POST items/{pk}/delegate", {"to": "noor"}),),
    "items/{pk}/assign": (("POST items/{pk}/assign", {"to": "amara", "reason": "because"}),),
    "items/{pk}/resume": (("POST items/{pk}/resume", {}),),
    "items/{pk}/resolve": (("POST items/{pk}/resolve", {}),),
    "items/{pk}/skip": (("POST items/{pk}/skip", {"reason": "because"}),),
    "items/{pk}/escalate": (("POST items/{pk}/escalate", {"reason": "because"}),),
    "items/{pk}/withdraw": (("POST items/{pk}/withdraw", {"reason": "because"}),),
    "gates/{pk}/": (("POST gates/{pk}/decisions", GATE),),
    "gates/{pk}/confirm": (("POST gates/{pk}/confirm", {}),),
    "gates/{pk}/look": (("POST gates/{pk}/look", {}),),
    "gates/{pk}/override": (("POST gates/{pk}/override", {**GATE, "reason": "because"}),),
    "gates/{pk}/reopen": (("POST gates/{pk}/reopen", {"reason": "because"}),),
    "findings/{pk}/": (
        ("POST findings/{pk}/resolve", {"do": "resolve", "evidence": "done"}),
        ("POST findings/{pk}/extend", {"do": "extend", "reason": "because", "days": "20"}),
    ),
    "use-cases/{key}/attest": (
        (
            "POST use-cases/{key}/attestations",
            {"test": "Infra7", "statement": "tried", "seen": "{seen}"},
        ),
    ),
    "attestations/{pk}/withdraw": (("POST attestations/{pk}/withdraw", {"reason": "because"}),),
    "views/": (("POST views", {"page": "board", "name": "Mine"}),),
    "views/{pk}/remove": (("DELETE views/{pk}", {}),),
    "away/": (("POST delegations", {"since": DAY, "until": "2031-05-07"}),),
    "away/{pk}/end": (("POST delegations/{pk}/end", {}),),
    "notifications/read": (("POST notifications/read", {"until": "1"}),),
    "settings/notifications/": (("PATCH me/notifications", TOLD),),
    "people/map/": (
        ("PATCH me", {"do": "point", "ml_point": "40", "deployment_point": ""}),
        ("PATCH personas/{code}", {"do": "ranges", "persona": "DS", **SPAN}),
    ),
    "settings/": (("PATCH me", {"do": "profile", "language": "de"}),),
    "settings/tokens/": (("POST tokens", {"name": "n", "scopes": "read", "days": "7"}),),
    "settings/tokens/{pk}/revoke": (("DELETE tokens/{pk}", {}),),
    "settings/security/": (("POST me/sign-out", {"do": "sessions"}),),
    "checks/{pk}/waive": (("POST checks/{pk}/waive", {"reason": "because", "days": "3"}),),
    "hand-offs/{pk}/": (
        ("POST hand-offs/{pk}/offer", {"do": "offer"}),
        ("POST hand-offs/{pk}/accept", {"do": "accept"}),
        ("POST hand-offs/{pk}/return", {"do": "return", **DO_REASON}),
        ("POST hand-offs/{pk}/withdraw", {"do": "withdraw", "reason": "because"}),
        ("POST hand-offs/{pk}/rerun-contract", {"do": "rerun"}),
    ),
    "models/{name}/rollback": (("POST models/{name}/rollback", {"reason": "because"}),),
    "help/tour": (("POST me/tour", {"shown": "no"}),),
    "alerts/{pk}/acknowledge": (("POST alerts/{pk}/acknowledge", {}),),
    "alerts/{pk}/resolve": (("POST alerts/{pk}/resolve", {"resolution": "done"}),),
}
# Whose refusal is the form itself, with what is wrong in it: nobody is kept from one's own.
OWN_FORM = (
    "use-cases/new/", "away/", "settings/", "settings/tokens/", "settings/security/",
    "settings/notifications/",
)  # fmt: skip
# Pages that only show, and what belongs to nobody: signing in and out, a try of a model.
SHOWN = (
    "", "inbox/count", "use-cases/", "use-cases/{key}/", "use-cases/{key}/readiness/",
    "runs/{pk}/", "use-cases/{key}/monitor/", "charts/{digest}/{theme}.svg", "board/",
    "use-cases/export", "notifications/", "notifications/count",
    "flow/", "flow/{part}/", "flow/records/{kind}/",
    "runs/{pk}/lineage/", "runs/{pk}/documents/", "runs/{pk}/documents/{kind}/",
    "runs/{pk}/documents/{kind}.{form}", "use-cases/{key}/documents/",
    "models/", "models/{name}/", "search/", "help/", "people/", "ledger/", "ledger/export",
    "events/", "sign-in/", "sign-out/",
)  # fmt: skip
# Open whatever becomes of the run: people talk about one that ended, too.
EVER = ("runs/{pk}/comments", "gates/{pk}/look")
# What machines ask, without a person.
MACHINES = ("healthz", "readyz", "metrics")
