"""Plays of use cases without labels: seven people, and forms by stage and item."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from portal.demo.flights import Flight
from portal.demo.live import Screen
from portal.demo.traffic import Caller
from tests.flows.baton import Baton
from tests.flows.quick import QuickPlay


class QuietPlay(QuickPlay):
    """The seven people with forms of their own; nobody reports labels."""

    forms: Mapping[tuple[str, str], Mapping[str, Any]] = {}

    def form(self, key: tuple[str, str], *, round: int) -> Mapping[str, Any] | None:
        """Return what is filled into a work item; None for an unknown one."""
        return self.forms.get(key)

    def send_labels(self) -> None:
        """Nobody reports labels."""


class Few(Caller):
    """Asks about a few rows at a time."""

    def call(self, rows: int = 200) -> str:
        """Ask about the next few rows; returns a sentence, empty at the end."""
        return super().call(min(rows, 200))


def play(
    baton: Baton,
    *,
    blueprint: str,
    title: str,
    content: Mapping[str, bytes],
    parameters: Mapping[str, Any],
    forms: Mapping[tuple[str, str], Mapping[str, Any]],
    people: type[QuietPlay] = QuietPlay,
    asked: Sequence[Flight] = (),
) -> tuple[QuietPlay, dict[str, Any]]:
    """Play a use case to the end of its first run; returns the play and the run."""
    caller = Few(url=baton.serve_url, token=baton.tokens["SWE"], model="", flights=asked)
    log = Path(baton.folder / f"{blueprint}.txt")
    with log.open("w", encoding="utf-8", buffering=1) as sink:
        screen = Screen(Console(file=sink, width=160))
        played = people(baton.desks, screen, caller, patience=60.0)
        played.forms = forms
        parts = [baton.bring(data, f"{name}.csv") for name, data in content.items()]
        played.use_case = caller.model = baton.frame(
            title, blueprint, parameters=dict(parameters), inputs={"tables": parts}
        )
        played.run = baton.run(played.use_case)
        ended = played.until(lambda run: False)
    caller.close()
    return played, ended
