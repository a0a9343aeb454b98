"""Folders that outlive an attempt: what a long step wrote down, for the attempt after it.

Named by what is computed (operation, version, params, inputs, seed, libraries), so that whoever is
to compute the same on this machine finds it. It is no evidence and no state: the database knows
nothing of it, another machine has none of it, and losing it costs time only.
"""

import contextlib
import hashlib
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from django.conf import settings

from personas.ledger import canonical
from pipelines import catalogue
from pipelines.runs import removal
from pipelines.runs.claims import Claim

KEEP_SECONDS: Final = 7 * 86_400  # since it was last written to


def place_of(held: Claim) -> Path | None:
    """Return the folder for what is computed; None where the operation keeps nothing.

    Nor is anything kept of what a feed made just in time: the next attempt gets other input.
    """
    spec = catalogue.spec(held.operation)
    if not spec.keeps or held.inputs.get("feeds"):
        return None
    ports = {
        port: [[part["name"] if len(parts) > 1 else "", part["digest"]] for part in parts]
        for port, parts in held.inputs.get("ports", {}).items()
    }
    code = [held.package] if held.package else []
    named = canonical([spec.name, spec.version, *code, held.params, ports, held.seed, libraries()])
    return _root() / hashlib.sha256(named).hexdigest()


@cache
def libraries() -> list[str]:
    """Versions of what computes: another one's numbers are not gone on from."""
    return [f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn", "optuna")]


def forget(held: Claim) -> None:
    """Remove what was kept: its result is accepted now."""
    place = place_of(held)
    if place is not None:
        removal.remove(place)


def remove_old() -> None:
    """Remove what nobody came back to for a week."""
    for folder in _root().iterdir() if _root().is_dir() else ():
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > KEEP_SECONDS:
                removal.remove(folder)


def _root() -> Path:
    place: Path = settings.VAR / "kept"
    return place
