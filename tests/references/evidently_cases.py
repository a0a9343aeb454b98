"""Tables that evidently and Baton both compare; only the standard library (two environments)."""

import random
from collections.abc import Iterable

Case = tuple[str, list[float] | list[str], list[float] | list[str]]

SIZES = (400, 300)


def _drawn(seed: int, *, level: float = 0.0, scale: float = 1.0, size: int) -> list[float]:
    source = random.Random(seed)
    return [level + scale * source.gauss(0, 1) for _ in range(size)]


def _picked(seed: int, shares: Iterable[tuple[str, float]], size: int) -> list[str]:
    names, chances = zip(*shares, strict=True)
    return random.Random(seed).choices(names, chances, k=size)


def cases() -> dict[str, Case]:
    """By name: kind ("number" or "category"), reference, window."""
    n, m = SIZES
    usual = [("a", 0.6), ("b", 0.3), ("c", 0.1)]
    many = [(f"k{place}", 1.0) for place in range(15)]
    numbers: dict[str, Case] = {
        "quiet": ("number", _drawn(1, size=n), _drawn(2, size=m)),
        "moved": ("number", _drawn(1, size=n), _drawn(3, level=0.5, size=m)),
        "wider": ("number", _drawn(1, size=n), _drawn(4, scale=2.0, size=m)),
        "far away": ("number", _drawn(1, size=n), _drawn(5, level=50.0, size=m)),
        "large": ("number", _drawn(6, scale=1e12, size=n), _drawn(7, scale=1e12, size=m)),
        "high level": ("number", _drawn(8, level=1e9, size=n), _drawn(9, level=1e9, size=m)),
        "tiny": ("number", _drawn(10, size=4), _drawn(11, size=3)),
        "many ties": (
            "number",
            [max(0.0, round(value, 1)) for value in _drawn(12, size=n)],
            [max(0.0, round(value, 1)) for value in _drawn(13, level=0.2, size=m)],
        ),
        "few values": (
            "number",
            [float(min(4, max(-4, round(value)))) for value in _drawn(14, size=n)],
            [float(min(3, max(-3, round(value)))) for value in _drawn(15, size=m)],
        ),
        "a flag": (
            "number",
            [float(value > 1.5) for value in _drawn(16, size=n)],
            [float(value > 0.5) for value in _drawn(17, size=m)],
        ),
        "constant": ("number", [0.1] * n, [0.1] * m),
    }
    categories: dict[str, Case] = {
        "usual kinds": ("category", _picked(21, usual, n), _picked(22, usual, m)),
        "other shares": (
            "category", _picked(23, usual, n), _picked(24, [("a", 2), ("b", 2), ("c", 2)], m)
        ),
        "a new kind": (
            "category", _picked(25, usual, n), _picked(26, [*usual, ("new", 0.2)], m)
        ),
        "a kind gone": ("category", _picked(27, usual, n), _picked(28, usual[:2], m)),
        "one nearly empty": (
            "category", ["a"] * (n - 1) + ["b"], ["a"] * (m - 4) + ["b"] * 4
        ),
        "fifteen kinds": ("category", _picked(29, many, n), _picked(30, many, m)),
        "one kind": ("category", ["a"] * n, ["a"] * m),
    }  # fmt: skip
    return numbers | categories
