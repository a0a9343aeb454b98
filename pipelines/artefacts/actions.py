"""Storing content and registering it."""

from functools import lru_cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection

from personas import statements
from personas.commands import Answer, Command, execute
from personas.errors import NotAllowed
from personas.ledger import Actor
from personas.models import User
from pipelines.artefacts.models import Artefact
from pipelines.artefacts.storage import Storage, storage_for

# Every output of every finished step: composing the statement each time cost more than it does.
REGISTER: Final = """
INSERT INTO artefacts_artefact (digest, size, media, name, created_by_id)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""


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
    with connection.cursor() as cursor:
        statements.run(cursor, REGISTER, [digest, size, media, name, by.pk if by else None])
    return Artefact(digest=digest, size=size, media=media, name=name, created_by=by)


def upload(*, actor: Actor, path: Path, media: str, name: str, key: str | None = None) -> Answer:
    """Keep a file that a person brought, and record who did. Raises StorageError, NotAllowed."""
    user = actor.user
    if user is None:
        raise NotAllowed("actor.person", "Files are brought by people and service accounts.")
    digest, size = storage().put(path)

    def body(command: Command, _locked: None) -> dict[str, object]:
        register(digest=digest, size=size, media=media, name=name, by=user)
        # The same content may be known already, under its first name and medium.
        known = Artefact.objects.get(pk=digest)
        command.recorder.record(
            ("person", str(user.pk)),
            "artefact.uploaded",
            subject=("artefact", None),
            data={"digest": digest, "size": size, "media": known.media, "name": name},
        )
        return {"digest": digest, "size": size, "media": known.media, "name": name}

    return execute(
        actor=actor,
        name="upload",
        lock=lambda: None,
        body=body,
        key=key,
        request={"digest": digest, "media": media, "name": name},
    )
