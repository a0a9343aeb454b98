"""A play in which nobody waits for a clock."""

from dataclasses import dataclass
from typing import Any

from portal.demo.play import Play
from tests.flows.baton import Baton


@dataclass
class QuickPlay(Play):
    """The seven people look up sooner; given its Baton, what waits for calls looks when they came.

    Then fewer calls are made, and fewer labels come: not for what is judged by many of them.
    """

    baton: Baton | None = None
    look_every: float = 0.5

    def _traffic(self, run: dict[str, Any]) -> bool:
        called = super()._traffic(run)
        if called and self.baton is not None:
            self.baton.hurry(self.run)
        return called
