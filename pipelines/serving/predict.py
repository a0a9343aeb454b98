"""Front door of prediction: which versions answer for a model, loaded and proved.

Imports scikit-learn: for the serve process and the worker only.
"""

import hashlib
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.artefacts.actions import storage
from pipelines.operations.packages.archive import PackageError
from pipelines.operations.packages.loaded import Loaded, Prediction, load_package
from pipelines.operations.packages.signature import Output, Problem, RowsError
from pipelines.registry.models import CANARY, LIVE, SHADOW, Deployment, Model
from pipelines.registry.queries import answering

__all__ = [
    "Board",
    "Line",
    "Loaded",
    "Output",
    "Prediction",
    "Problem",
    "RowsError",
    "Served",
    "load",
]

log = logging.getLogger("baton.serve")


@dataclass(frozen=True)
class Served:
    """One deployment with its package in memory."""

    deployment: int
    version_id: int
    version: int
    mode: str
    share: float
    approval: int | None
    package: str
    loaded: Loaded


@dataclass(frozen=True)
class Line:
    """Everything that answers (or scores unseen) for one model now."""

    model: Model
    live: Served | None = None
    canary: Served | None = None
    shadow: Served | None = None
    broken: str = ""

    @property
    def all(self) -> tuple[Served, ...]:
        """What is deployed, in the order in which it answers."""
        return tuple(one for one in (self.canary, self.live, self.shadow) if one is not None)

    @property
    def names(self) -> frozenset[str]:
        """Every input that any deployed version reads."""
        return frozenset(name for one in self.all for name in one.loaded.signature.names)

    def pick(self, key: str) -> Served | None:
        """Which deployment answers the row of this key; None: the fallback does.

        The same key falls to the same side for as long as the canary is open.
        """
        canary = self.canary
        if canary is not None and _place(f"{canary.deployment}:{key}") < canary.share:
            return canary
        return self.live


def _place(text: str) -> float:
    """A place in [0, 1) that only depends on the text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def load(digest: str) -> Loaded:
    """The package of this digest, verified and proved. Raises PackageError, StorageError."""
    with tempfile.TemporaryDirectory(prefix="baton-package-") as folder:
        return load_package(storage().local(digest, Path(folder)), digest=digest)


@dataclass
class Board:
    """What answers now, by model name; `refresh` follows the deployments table.

    `only`: of this model (its key), not of all.
    """

    only: int | None = None
    lines: dict[str, Line] = field(default_factory=dict)
    _seen: tuple[tuple[int, str], ...] | None = None
    _loaded: dict[str, Loaded] = field(default_factory=dict)

    def refresh(self) -> bool:
        """Follow the table; True where something changed. Costs one query when nothing did."""
        deployments = answering(self.only)
        seen = tuple((one.pk, one.version.state) for one in deployments)
        if seen == self._seen:
            return False
        found: dict[str, dict[str, Served]] = {}
        models: dict[str, Model] = {}
        broken: dict[str, str] = {}
        for deployment in deployments:
            name = deployment.model.name
            models[name] = deployment.model
            try:
                found.setdefault(name, {})[deployment.mode] = self._served(deployment)
            except (PackageError, OSError) as problem:
                log.error("package of %s does not load: %s", deployment, problem)
                broken[name] = f"{deployment} does not load: {problem}"
        self.lines = {
            name: Line(
                model,
                live=found.get(name, {}).get(LIVE),
                canary=found.get(name, {}).get(CANARY),
                shadow=found.get(name, {}).get(SHADOW),
                broken=broken.get(name, ""),
            )
            for name, model in models.items()
        }
        self._forget()
        # A package that did not load is tried again at the next look.
        self._seen = None if broken else seen
        return True

    def have(self, packages: Mapping[str, Loaded]) -> None:
        """Take packages that are in memory already, by digest."""
        self._loaded.update(packages)

    def _served(self, deployment: Deployment) -> Served:
        version = deployment.version
        digest = version.package_id
        if digest not in self._loaded:
            self._loaded[digest] = load(digest)
        return Served(
            deployment=deployment.pk,
            version_id=version.pk,
            version=version.number,
            mode=deployment.mode,
            share=deployment.share,
            approval=deployment.approval_id,
            package=digest,
            loaded=self._loaded[digest],
        )

    def _forget(self) -> None:
        """Drop packages that nothing refers to."""
        used = {one.package for line in self.lines.values() for one in line.all}
        self._loaded = {k: v for k, v in self._loaded.items() if k in used}
