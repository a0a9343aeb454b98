"""Where artefact content lives: a folder, or any store fsspec opens (S3 and the like).

Content is written under a temporary name, synced, and only then named by its digest, so that a
digest names whole content or nothing. Reading verifies: altered content is an error, never data.
"""

import hashlib
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

import fsspec

BLOCK = 1 << 20


class StorageError(Exception):
    """The store cannot be read or written; `digest` names the content."""

    def __init__(self, message: str, *, digest: str = "") -> None:
        super().__init__(message)
        self.digest = digest


class MissingContent(StorageError):
    """No content is stored under the digest."""


class AlteredContent(StorageError):
    """The stored content no longer hashes to its name."""


class Storage(Protocol):
    """What a store offers; digests are SHA-256 in hex."""

    def put(self, path: Path, *, anew: bool = False) -> tuple[str, int]:
        """Store a file; return its digest and size in bytes.

        With `anew` what is stored under the digest is known to be bad, and is replaced.
        """

    def local(self, digest: str, folder: Path) -> Path:
        """Return a path to verified content, for reading only."""

    def open(self, digest: str) -> BinaryIO:
        """Open verified content for reading."""

    def exists(self, digest: str) -> bool:
        """Whether content is stored under the digest."""

    def check_writable(self) -> None:
        """Raise StorageError where nothing can be written."""


def digest_of(path: Path) -> str:
    """Return the SHA-256 (hex) of a file, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class FolderStorage:
    """Content in a local folder, fanned out by the first two hex digits."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: str) -> Path:
        """Return where content of this digest lives."""
        if len(digest) != 64 or not all(c in "0123456789abcdef" for c in digest):
            raise StorageError(f"{digest!r} is no SHA-256 digest.", digest=digest)
        return self.root / digest[:2] / digest

    def put(self, path: Path, *, anew: bool = False) -> tuple[str, int]:
        """Store a file; return its digest and size. Raises StorageError (disk full, read-only)."""
        digest, size = digest_of(path), path.stat().st_size
        target = self.path(digest)
        known = not anew and target.exists() and target.stat().st_size == size
        if known and digest_of(target) == digest:
            return digest, size
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._copy(path, target)
        except OSError as error:
            raise StorageError(f"Cannot store {size} bytes: {error}", digest=digest) from error
        return digest, size

    def _copy(self, path: Path, target: Path) -> None:
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            with path.open("rb") as source, temporary.open("xb") as sink:
                shutil.copyfileobj(source, sink, BLOCK)
                sink.flush()
                os.fsync(sink.fileno())
            temporary.chmod(0o444)
            temporary.replace(target)
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        finally:
            temporary.unlink(missing_ok=True)

    def local(self, digest: str, folder: Path) -> Path:
        """Return the stored file itself, hashed again. Raises MissingContent, AlteredContent."""
        path = self.path(digest)
        if not path.exists():
            raise MissingContent(f"No content {digest[:12]}… in {self.root}.", digest=digest)
        found = digest_of(path)
        if found != digest:
            raise AlteredContent(
                f"Content {digest[:12]}… now hashes to {found[:12]}….", digest=digest
            )
        return path

    def open(self, digest: str) -> BinaryIO:
        """Open verified content for reading."""
        return self.local(digest, self.root).open("rb")

    def exists(self, digest: str) -> bool:
        """Whether content is stored under the digest (not whether it is unaltered)."""
        return self.path(digest).exists()

    def check_writable(self) -> None:
        """Raise StorageError where nothing can be written."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.root) as probe:
                probe.write(b"baton")
                probe.flush()
        except OSError as error:
            raise StorageError(f"Cannot write to {self.root}: {error}") from error


class RemoteStorage:
    """Content in a store that fsspec reaches, as s3://bucket/prefix; objects appear whole."""

    def __init__(self, url: str, **options: object) -> None:
        self.url = url
        self.system, self.root = fsspec.core.url_to_fs(url, **options)

    def _key(self, digest: str) -> str:
        return f"{self.root}/{digest[:2]}/{digest}"

    def put(self, path: Path, *, anew: bool = False) -> tuple[str, int]:
        """Upload a file; an object store shows it only when it is whole."""
        digest, size = digest_of(path), path.stat().st_size
        try:
            if anew or not self.exists(digest):
                self.system.put_file(str(path), self._key(digest))
        except OSError as error:
            raise StorageError(f"Cannot store {size} bytes: {error}", digest=digest) from error
        return digest, size

    def local(self, digest: str, folder: Path) -> Path:
        """Download into `folder` and verify. Raises MissingContent, AlteredContent."""
        path = folder / digest
        if not path.exists():
            try:
                self.system.get_file(self._key(digest), str(path))
            except FileNotFoundError as error:
                raise MissingContent(f"No content {digest[:12]}….", digest=digest) from error
        found = digest_of(path)
        if found != digest:
            path.unlink()
            raise AlteredContent(
                f"Content {digest[:12]}… now hashes to {found[:12]}….", digest=digest
            )
        return path

    def open(self, digest: str) -> BinaryIO:
        """Open verified content; it is spooled to a temporary file first."""
        with tempfile.TemporaryDirectory() as folder:
            return self.local(digest, Path(folder)).open("rb")

    def exists(self, digest: str) -> bool:
        """Whether an object of this digest is in the store."""
        return bool(self.system.exists(self._key(digest)))

    def check_writable(self) -> None:
        """Raise StorageError where nothing can be written."""
        try:
            self.system.pipe_file(f"{self.root}/.probe", b"baton")
        except OSError as error:
            raise StorageError(f"Cannot write to {self.url}: {error}") from error


def storage_for(url: str) -> Storage:
    """Return the store of an address: a path, file://… or a scheme fsspec knows."""
    parts = urlsplit(url)
    if parts.scheme in ("", "file"):
        return FolderStorage(Path(parts.path))
    return RemoteStorage(url)
