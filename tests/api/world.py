"""One thing of every kind, for tests that walk all addresses of the API."""

import re
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection
from django.urls import URLPattern
from django.utils import timezone

from personas.actions import issue_token
from pipelines.artefacts.actions import upload
from pipelines.artefacts.connections import hold
from pipelines.readiness.actions import Statement, attest
from pipelines.readiness.queries import readiness
from pipelines.registry.models import Model
from pipelines.runs.actions import comments, gates
from pipelines.runs.models import Run
from pipelines.usecases.actions import Wish, delegate, save_view
from pipelines.usecases.models import UseCase
from portal.api.urls import urlpatterns
from tests import factories, release
from tests.cast import Cast, acting

OPEN_TO_ALL = ("schema/", "docs/")
CATCH_ALL = "^.*$"
PARAMETER = re.compile(r"<\w+:(\w+)>")


def routes() -> list[URLPattern]:
    """Every address of the API but the last, which answers for all that do not exist."""
    return [route for route in urlpatterns if str(route.pattern) != CATCH_ALL]


def make(cast: Cast) -> dict[str, dict[str, Any]]:
    """Make one thing of every kind; returns the values of each address's parameters by noun."""
    use_case = factories.use_case(cast, blueprint="checked")
    run = factories.run_of(cast, use_case)
    factories.work_off()
    factories.completed(cast, run.items.get(key="go"), {"decision": "go"})
    gate = factories.open_gate(run)
    asked = [{"text": "name a steward", "persona": "BA", "days": 9}]
    gates.decide(
        actor=acting(cast.sofia), gate=gate, verdict="approve_with_conditions",
        seen=gate.subject_digest, conditions=asked,
    )  # fmt: skip
    factories.work_off()
    said = comments.add(actor=acting(cast.amara), topic=run, remark=comments.Remark("why?"))
    within = _in_run(run)  # before the release has gates of its own
    released = _released(run)
    token, _ = issue_token(
        actor=acting(cast.amara),
        user=cast.amara,
        name="walk",
        scopes=["read"],
        lifetime=timedelta(days=1),
    )
    return {
        **within,
        "calendars": {"code": "DS"},
        "flow": {"part": "ageing", "kind": "gates"},
        "personas": {"code": "DS"},
        "connections": {"name": _connection(cast)},
        "users": {"pk": cast.lena.pk},
        "tokens": {"pk": token.pk},
        "delegations": {"pk": _away(cast)},
        "views": {"pk": _view(cast)},
        "use-cases": {
            "key": use_case.key,
            "pk": use_case.seats.first().pk,
            "seen": subject_of(use_case, "Infra7"),
        },
        "blueprints": {"key": "checked", "number": 1},
        "artefacts": {"digest": _artefact(cast)},
        "comments": {"pk": said.data["comment"]},
        **released,
        "attestations": {"pk": _signed(cast, use_case)},
    }


def _in_run(run: Run) -> dict[str, dict[str, Any]]:
    return {
        "runs": {"pk": run.pk, "kind": "model-card", "form": "md"},
        "stages": {"pk": run.stages.first().pk},
        "steps": {"pk": run.steps.first().pk},
        "attempts": {"pk": run.attempts.first().pk},
        "items": {"pk": run.items.first().pk},
        "gates": {"pk": run.gates.get().pk},
        "findings": {"pk": run.findings.get().pk},
        "checks": {"pk": run.checks.first().pk},
        "hand-offs": {"pk": run.hand_offs.get().pk},
    }


def _away(cast: Cast) -> int:
    """Amara is away for a week."""
    now = timezone.now()
    wish = Wish(giver=cast.amara, since=now, until=now + timedelta(days=7))
    return int(delegate(actor=acting(cast.amara), wish=wish).data["delegation"])


def _view(cast: Cast) -> int:
    """Amara keeps a view of the board."""
    answer = save_view(actor=acting(cast.amara), page="board", name="Late", query="late=1")
    return int(answer.data["view"])


def subject_of(use_case: UseCase, test: str) -> str:
    """The digest of what a statement on this test is about now."""
    return next(one.seen for one in readiness(use_case).subjects if one.test == test)


def _signed(cast: Cast, use_case: UseCase) -> int:
    """Tomas signed for the package."""
    statement = Statement("Infra3", "loaded it by hand", subject_of(use_case, "Infra3"))
    answer = attest(actor=acting(cast.tomas), use_case=use_case, statement=statement)
    return int(answer.data["attestation"])


def _connection(cast: Cast) -> str:
    answer = hold(
        actor=acting(cast.priya), name="shop", kind="sqlite", address="sqlite:///srv/shop.sqlite"
    )
    return str(answer.data["name"])


def _artefact(cast: Cast) -> str:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        Path(file.name).write_text("flight,late\n1,yes\n2,no\n")
        answer = upload(
            actor=acting(cast.amara), path=Path(file.name), media="csv", name="flights.csv"
        )
    return str(answer.data["digest"])


def _released(run: Run) -> dict[str, dict[str, Any]]:
    """A live model of the run, and an alert about it, by the effects that make them."""
    found = {"cause": "drift", "severity": "red", "text": "wind: PSI 0.60, limit 0.25"}
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        Path(file.name).write_bytes(b"PK no real package: nothing here predicts")
        facts = {"alerts": 1, "alert_list": [found]}
        step = release.step_with(
            run, "operationalise.package", {"package": Path(file.name)}, facts, position=6,
            operation="package_model",
        )  # fmt: skip
    release.cause("register_version", run, step=step)
    release.cause("approve_version", run, gate=release.gate_of(run, "operationalise"))
    release.cause("go_live", run, gate=release.gate_of(run, "operationalise"))
    release.cause("raise_alerts", run, step=step)
    model = Model.objects.get(use_case=run.use_case)
    return {"models": {"name": model.name, "number": 1}, "alerts": {"pk": model.alerts.get().pk}}


def address(route: URLPattern, values: dict[str, dict[str, Any]]) -> str | None:
    """Return the address with its parameters filled in; None where the world has no such thing."""
    pattern = str(route.pattern)
    known = values.get(pattern.split("/")[0], {})
    names = PARAMETER.findall(pattern)
    if not set(names) <= set(known):
        return None
    return "/api/v1/" + PARAMETER.sub(lambda found: str(known[found[1]]), pattern)


def methods(route: URLPattern) -> set[str]:
    """Return the methods an address takes."""
    view = getattr(route.callback, "view_class", None) or getattr(route.callback, "cls", None)
    if view is None:
        return {"GET"}
    return {
        name.upper() for name in ("get", "post", "patch", "put", "delete") if hasattr(view, name)
    }


def rows() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table with its place: even an update to the same values moves a row."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            name = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"SELECT ctid::text, xmin::text, t.*::text FROM {name} t ORDER BY 1")
            found[model._meta.label] = cursor.fetchall()
    return found
