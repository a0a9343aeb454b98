"""Storing content and registering it."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from personas.models import User
from pipelines.artefacts.models import Artefact
from pipelines.artefacts.storage import Storage, storage_for


@lru_cache(maxsize=4)
def _storage(url: str) -> Storage:
    return storage_for(url)


def storage() -> Storage:
    """Return the store that the settings name."""
    return _storage(settings.ARTEFACT_URL)


def keep(path: Path, *, media: str, name: str = "", by: User | None = None) -> Artefact:
    """Store a file and register it; the same content is kept once. Raises StorageError.

    The file is written before the row, so a crash between leaves an orphan file, never a row
    without content.
    """
    digest, size = storage().put(path)
    return register(digest=digest, size=size, media=media, name=name, by=by)


def register(
    *, digest: str, size: int, media: str, name: str = "", by: User | None = None
) -> Artefact:
    """Write the row of content that is stored already, in the caller's transaction."""
    Artefact.objects.bulk_create(
        [Artefact(digest=digest, size=size, media=media, name=name, created_by=by)],
        ignore_conflicts=True,
    )
    return Artefact(digest=digest, size=size, media=media, name=name, created_by=by)
