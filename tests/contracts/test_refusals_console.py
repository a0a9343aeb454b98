"""The console and the command line: nobody gets in by a side door, and mistakes are told."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import get_commands, load_command_class
from django.db import connections
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from personas.models import BusinessCalendar
from pipelines.artefacts.models import Connection
from portal.console.tables import site
from tests.api import world
from tests.cast import Cast

ROOT = Path(__file__).resolve().parents[2]
OURS = ("personas", "pipelines", "portal")
# What each command refuses, and the words that say so; new commands need a row.
COMMANDS: dict[str, list[tuple[list[str], str]]] = {
    "demo": [],
    "down": [],
    "engine": [],
    "limit": [
        (["colour", "blue", "1"], "must be one of"),
        (["queue", "gpu"], "whole number or none"),
        (["queue", "gpu", "many"], "whole number or none"),
        (["queue", "gpu", "-1"], "-1"),
        (["queue", "gpu", "9" * 30], "at_most"),
        (["queue", "x" * 500, "1"], "key"),
    ],
    "process": [(["no-such"], "invalid choice"), ([], "required")],
    "reperform": [
        ([], "required"),
        (["x"], "invalid int value"),
        (["404"], "There is no run 404"),
        (["1", "--relative", "x"], "invalid float value"),
    ],
    "simulate": [
        (["--days", "0"], "--days must be 1 to 3650"),
        (["--days", "3651"], "got 3651"),
        (["--use-cases", "-1"], "--use-cases must be 1 to 10000"),
        (["--seed", "x"], "invalid int value"),
    ],
    "translations": [([], "required"), (["x"], "invalid choice")],
    "up": [],
    "verify": [],
    "verify_ledger": [],
    "work": [],
}
# These ask the database at once; engine and work wait for it, up says it in its own words.
ASKING = ("limit", "verify", "verify_ledger")


def own_commands() -> list[str]:
    return sorted(n for n, app in get_commands().items() if str(app).split(".")[0] in OURS)


def refused(name: str, arguments: list[str], capsys: Any) -> tuple[int, str]:
    """Run a command as the command line does; returns its status and what it said."""
    command = load_command_class(get_commands()[name], name)
    # It would close the connection that holds the test's transaction.
    with mock.patch.object(connections, "close_all"), pytest.raises(SystemExit) as left:
        command.run_from_argv(["manage.py", name, *arguments])
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out + told.err


def test_every_command_has_a_row() -> None:
    assert own_commands() == sorted(COMMANDS)


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_mistake_on_the_command_line_is_told(name: str, capsys: Any) -> None:
    attacks = [*COMMANDS[name], (["--no-such"], "usage:"), (["a", "b", "c", "d"], "a")]
    for arguments, words in attacks:
        status, said = refused(name, arguments, capsys)
        assert status != 0, arguments
        assert words in said, (arguments, said)
        assert "Traceback" not in said


@pytest.mark.parametrize("name", ASKING)
def test_a_database_away_is_told_on_the_command_line(name: str) -> None:
    away = {**os.environ, "DATABASE_URL": "postgres://baton@127.0.0.1:1/none"}
    away.pop("PYTEST_CURRENT_TEST", None)
    away["DJANGO_SETTINGS_MODULE"] = "portal.settings"
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), name],
        env=away, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "database does not answer" in done.stderr
    assert "Traceback" not in done.stderr


# --- the console ---------------------------------------------------------------------------------


@pytest.fixture
def things(cast: Cast) -> dict[str, Any]:
    return world.make(cast)


def console_patterns(
    patterns: list[Any] | None = None, before: str = "/console/"
) -> Iterator[tuple[str, str]]:
    """Every address of the console with its name."""
    for one in site.get_urls() if patterns is None else patterns:
        text = before + str(one.pattern).lstrip("^")
        if isinstance(one, URLResolver):
            yield from console_patterns(one.url_patterns, text)
        elif isinstance(one, URLPattern):
            yield text, one.name or ""


def filled(text: str, pk: object = 1) -> str:
    text = re.sub(r"<path:object_id>|<int:\w+>|<path:\w+>", str(pk), text)
    return re.sub(r"\(\?P<\w+>[^)]*\)|<\w+:\w+>", "1", text).rstrip("$")


def test_the_console_lets_in_only_who_manages_operations(
    cast: Cast, things: dict[str, Any]
) -> None:
    wrong = []
    amara, nobody = Client(), Client()
    amara.force_login(cast.amara)
    for text, name in console_patterns():
        if name in ("login", "logout", "jsi18n"):
            continue
        for client in (amara, nobody):
            for method in ("GET", "POST"):
                answer = client.generic(method, filled(text))
                inside = answer.status_code == 302 and "/login/" not in answer["Location"]
                if answer.status_code not in (302, 403, 404, 405) or (
                    inside and not re.search(r"sign-in|login", answer["Location"])
                ):
                    wrong.append((method, text, answer.status_code, answer.get("Location")))
    assert not wrong, "\n".join(map(str, wrong))


def test_nothing_is_added_edited_or_deleted_in_the_console(
    cast: Cast, things: dict[str, Any]
) -> None:
    client, wrong = Client(), []
    client.force_login(cast.priya)
    for model in site._registry:
        name = f"console:{model._meta.app_label}_{model._meta.model_name}"
        row = model._default_manager.first()
        pk = row.pk if row is not None else 1
        doors = {"add": reverse(f"{name}_add")}
        doors |= {one: reverse(f"{name}_{one}", args=[pk]) for one in ("delete", "change")}
        unknown = reverse(f"{name}_change", args=["987654321"])
        before = world.rows()
        for what, where in doors.items():
            answer = client.post(where, {"post": "yes", "state": "SUCCEEDED"})
            if answer.status_code != 403 and not (row is None and answer.status_code == 302):
                wrong.append((what, where, answer.status_code))
        answer = client.get(unknown)
        if answer.status_code not in (302, 404):
            wrong.append(("unknown", unknown, answer.status_code))
        if {t: r for t, r in world.rows().items() if "Session" not in t} != {
            t: r for t, r in before.items() if "Session" not in t
        }:
            wrong.append(("rows changed", str(model), 0))
    assert not wrong, "\n".join(map(str, wrong))


def test_a_button_of_the_console_names_the_rule_that_refuses(
    cast: Cast, things: dict[str, Any]
) -> None:
    """Iris may enter and holds no other right: every button answers with a rule in brackets."""
    cast.iris.is_staff, cast.iris.capabilities = True, ["operations.manage"]
    cast.iris.save()
    client, wrong, tried = Client(), [], 0
    client.force_login(cast.iris)
    for model, table in site._registry.items():
        row = model._default_manager.first()
        # Calendars and connections are theirs who manage operations.
        theirs = model in (BusinessCalendar, Connection)
        actions = [] if row is None or theirs else list(table.actions or ())
        for action in actions:
            where = reverse(f"console:{model._meta.app_label}_{model._meta.model_name}_changelist")
            sent = {"action": action, "_selected_action": str(row.pk), "reason": "because"}
            answer = client.post(where, sent, follow=True)
            tried += 1
            last = answer.redirect_chain[-1][0] if answer.redirect_chain else where
            if not last.startswith("/console/") and answer.status_code in (403, 404):
                continue  # the button leads to a page, which refuses by itself
            said = [str(one) for one in answer.context["messages"]]
            if not any(re.search(r"\[[a-z_]+[.\w]*\]$", text) for text in said):
                wrong.append((model.__name__, action, said))
    assert tried > 5
    assert not wrong, "\n".join(map(str, wrong))
