"""Every page of the portal, with the person who would look at it, on whatever data there is.

An address names what it shows by a placeholder ("/gates/{gate}/"); `Finder` fills it from the REST
API with the signed-in person's own session, so a page is looked at by somebody who may see it. A
page whose noun does not exist in these data is left out, and said.
"""

from dataclasses import dataclass
from string import Formatter
from typing import Any

from playwright.sync_api import APIRequestContext


@dataclass(frozen=True)
class Place:
    """One kind of page."""

    name: str
    persona: str
    path: str

    @property
    def nouns(self) -> set[str]:
        """What has to exist for this page to be there."""
        return {noun for _, noun, _, _ in Formatter().parse(self.path) if noun}


PLACES = (
    Place("inbox", "DS", "/"),
    Place("inbox-analyst", "BA", "/"),
    Place("board", "MLE", "/board/"),
    Place("use-cases", "BA", "/use-cases/"),
    Place("new-use-case", "BA", "/use-cases/new/"),
    Place("use-case", "BA", "/use-cases/{use_case}/"),
    Place("start", "BA", "/use-cases/{use_case}/start/"),
    Place("seats", "BA", "/use-cases/{use_case}/seats/"),
    Place("readiness", "MLE", "/use-cases/{use_case}/readiness/"),
    Place("monitor", "OPS", "/use-cases/{use_case}/monitor/"),
    Place("run", "DS", "/runs/{run}/"),
    Place("lineage", "MLE", "/runs/{run}/lineage/"),
    Place("documents", "BA", "/runs/{run}/documents/"),
    Place("model-card", "BA", "/runs/{run}/documents/model-card/"),
    Place("brief", "BA", "/runs/{run}/documents/decision-brief/"),
    Place("item", "DS", "/items/{item}/"),
    Place("review", "DS", "/gates/{gate}/"),
    Place("review-open", "BA", "/gates/{open_gate}/"),
    Place("hand-off", "MLE", "/hand-offs/{hand_off}/"),
    Place("finding", "DS", "/findings/{finding}/"),
    Place("models", "OPS", "/models/"),
    Place("model", "OPS", "/models/{model}/"),
    Place("flow", "BA", "/flow/"),
    Place("persona-map", "BA", "/people/map/"),
    Place("people", "OPS", "/people/"),
    Place("search", "BA", "/search/?q=late"),
    Place("notifications", "BA", "/notifications/"),
    Place("settings", "SWE", "/settings/"),
    Place("away", "DS", "/away/"),
    Place("ledger", "OPS", "/ledger/"),
    Place("console", "OPS", "/console/"),
    Place("api-docs", "SWE", "/api/v1/docs/"),
    Place("not-found", "BA", "/use-cases/nothing-of-this-name/"),
)


class Finder:
    """What there is to look at, asked of the REST API once and remembered."""

    def __init__(self, ask: APIRequestContext) -> None:
        self.ask = ask
        self.found: dict[str, object] = {}

    def address(self, place: Place) -> str | None:
        """Return where a place is; None where these data have nothing of the kind."""
        values = {noun: self._look(noun) for noun in place.nouns}
        return None if None in values.values() else place.path.format(**values)

    def _look(self, noun: str) -> object:
        if noun not in self.found:
            self.found[noun] = getattr(self, f"_{noun}")()
        return self.found[noun]

    def _rows(self, path: str) -> list[dict[str, Any]]:
        answer = self.ask.get(f"/api/v1/{path}")
        body = answer.json() if answer.ok else []
        rows = body["results"] if isinstance(body, dict) else body
        return list(rows)

    def _model(self) -> object:
        rows = self._rows("models")
        return rows[0]["name"] if rows else None

    def _use_case(self) -> object:
        models = self._rows("models")
        if models:
            return models[0]["use_case"]
        rows = self._rows("use-cases")
        return rows[0]["key"] if rows else None

    def _runs(self) -> list[dict[str, Any]]:
        runs = self._rows(f"runs?use_case={self._look('use_case')}")
        return sorted(runs, key=lambda run: int(run["id"]))

    def _run(self) -> object:
        runs = self._runs()
        return runs[0]["id"] if runs else None

    def _of_run(self, noun: str) -> list[dict[str, Any]]:
        return self._rows(f"runs/{self._look('run')}/{noun}")

    def _item(self) -> object:
        rows = self._of_run("items")
        return rows[-1]["id"] if rows else None

    def _gate(self) -> object:
        closed = [gate for gate in self._of_run("gates") if gate["state"] == "APPROVED"]
        named = [gate for gate in closed if gate["stage"] == "evaluate"]
        return (named or closed)[-1]["id"] if closed else None

    def _open_gate(self) -> object:
        rows = self._rows("gates?state=OPEN")
        return rows[0]["id"] if rows else None

    def _hand_off(self) -> object:
        rows = self._of_run("hand-offs")
        return rows[-1]["id"] if rows else None

    def _finding(self) -> object:
        rows = self._of_run("findings")
        return rows[0]["id"] if rows else None
