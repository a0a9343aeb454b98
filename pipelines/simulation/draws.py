"""Seeded draws, each from a generator of its own: one draw more here changes none there. Pure."""

import math
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, TypeVar

from pipelines.simulation.parameters import Spread

T = TypeVar("T")
Z90: Final = 1.2815515655446004  # the standard normal's 90 % quantile


class Draw:
    """The draws about one thing, named by what it is and never by a row's id."""

    def __init__(self, *names: object) -> None:
        # A text seeds by its SHA-512: alike on every machine, unlike hash().
        self.random = random.Random("/".join(map(str, names)))  # noqa: S311 - no secret

    def length(self, spread: Spread) -> timedelta:
        """Draw a length of time, in whole seconds, at least one."""
        sigma = math.log(spread.p90 / spread.median) / Z90
        seconds = spread.median.total_seconds() * math.exp(self.random.gauss(0.0, sigma))
        return timedelta(seconds=max(1, round(seconds)))

    def chance(self, probability: float) -> bool:
        """Draw yes with this probability."""
        return self.random.random() < probability

    def share(self) -> float:
        """Draw a share, from 0 to below 1."""
        return self.random.random()

    def pick(self, choices: Sequence[T]) -> T:
        """Draw one of several, each as likely."""
        return self.random.choice(choices)

    def whole(self, bounds: tuple[int, int]) -> int:
        """Draw a whole number, both bounds included."""
        return self.random.randint(*bounds)


class Draws:
    """All draws of one simulation."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def about(self, *names: object) -> Draw:
        """Return the draws about one thing."""
        return Draw(self.seed, *names)
