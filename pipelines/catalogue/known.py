"""What a name stands for in a table; what is not in it may be in newer code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


class Unknown(KeyError):
    """A check, effect or feed that this process's code does not have; newer code may."""

    waits_for = "Newer code is coming in"

    def __str__(self) -> str:
        return str(self.args[0])


class OtherPackage(Unknown):
    """A package's operation that is not here as it was when the attempt was queued."""

    waits_for = "It waits for its package"


def known(table: Mapping[str, str], name: str, noun: str) -> Callable[..., object]:
    """What the name stands for; raises Unknown."""
    if name not in table:
        raise Unknown(f"{noun} {name!r} is not known to this process's code")
    return attribute(table[name])


def attribute(path: str) -> Callable[..., object]:
    """What a dotted path names."""
    module, _, name = path.rpartition(".")
    found: Callable[..., object] = getattr(import_module(module), name)
    return found
