"""Reads of artefacts."""

from typing import BinaryIO

from personas.errors import NotFound
from pipelines.artefacts.actions import storage
from pipelines.artefacts.models import Artefact


def find(digest: str) -> Artefact:
    """Return the artefact; raises NotFound."""
    artefact = Artefact.objects.filter(digest=digest).first()
    if artefact is None:
        raise NotFound("artefact", f"There is no artefact {digest[:12]}….")
    return artefact


def open_content(digest: str) -> BinaryIO:
    """Open verified content; raises StorageError kinds."""
    return storage().open(digest)
