"""A play without callers: seven people, forms by stage and item, and what they are asked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from portal.demo.live import Screen
from portal.demo.play import Play
from portal.demo.traffic import Caller
from tests.flows.baton import Baton


class QuietPlay(Play):
    """The seven people with their own forms; nobody asks the model anything."""

    forms: Mapping[tuple[str, str], Mapping[str, Any]] = {}

    def form(self, key: tuple[str, str], *, round: int) -> Mapping[str, Any] | None:
        """Return what is filled into a work item; None for an unknown one."""
        return self.forms.get(key)

    def send_labels(self) -> None:
        """Nobody reports labels."""


def play(
    baton: Baton,
    *,
    blueprint: str,
    title: str,
    content: Mapping[str, bytes],
    parameters: Mapping[str, Any],
    forms: Mapping[tuple[str, str], Mapping[str, Any]],
) -> tuple[QuietPlay, dict[str, Any]]:
    """Play a use case to the end of its first run; returns the play and the run."""
    caller = Caller(url=baton.serve_url, token=baton.tokens["SWE"], model="", flights=[])
    log = Path(baton.folder / f"{blueprint}.txt")
    with log.open("w", encoding="utf-8", buffering=1) as sink:
        screen = Screen(Console(file=sink, width=160))
        people = QuietPlay(baton.desks, screen, caller, patience=60.0)
        people.forms = forms
        parts = [baton.bring(data, f"{name}.csv") for name, data in content.items()]
        people.use_case = baton.frame(
            title, blueprint, parameters=dict(parameters), inputs={"tables": parts}
        )
        people.run = baton.run(people.use_case)
        ended = people.until(lambda run: False)
    caller.close()
    return people, ended
