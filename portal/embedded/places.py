"""Where the embedded servers keep their files, and small facts about processes and logs."""

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_LOG_LIMIT = 20 * 1024 * 1024
_LOG_TAIL = 4096


class EmbeddedError(Exception):
    """An embedded server could not be started; the message says what to do."""


@dataclass(frozen=True)
class Places:
    """The folder of the state and the folder of the sockets (usually inside it)."""

    var: Path
    sockets: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data, unless `data_elsewhere` names another folder."""
        return self.var / "pg"

    @property
    def data_elsewhere(self) -> Path:
        """File that names the data folder where it could not be inside `var`."""
        return self.var / "pg.location"

    @property
    def redis(self) -> Path:
        """Valkey's append-only file."""
        return self.var / "redis"

    @property
    def logs(self) -> Path:
        """What the servers print."""
        return self.var / "logs"

    @property
    def lock(self) -> Path:
        """Held while servers are started or stopped."""
        return self.var / "embedded.lock"

    @property
    def users(self) -> Path:
        """Held, shared, by each process that uses the servers."""
        return self.var / "embedded.users"


def package_folder(name: str) -> Path:
    """Folder of an installed package, without importing it; raises EmbeddedError."""
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedError(f"The package {name} is not installed; run `make` again.")
    return Path(found.submodule_search_locations[0])


def runs(pid: int, executable: str, argument: str) -> bool:
    """Whether the process exists, runs that executable and was given that argument.

    A bare pid proves nothing: after a crash or in a new container it may be anybody's.
    """
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return (
        Path(os.fsdecode(words[0])).name.startswith(executable) and os.fsencode(argument) in words
    )


def open_log(path: Path) -> int:
    """Open a log for appending, starting afresh when it has grown past 20 MB."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        flags |= os.O_TRUNC
    return os.open(path, flags, 0o600)


def size(path: Path) -> int:
    """Bytes of a log, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


def tail(path: Path, *, since: int = 0) -> str:
    """The last few kilobytes of a log, but nothing before that byte."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(since, size(path) - _LOG_TAIL))
        return log.read().decode("utf-8", "replace").strip()


def explain(what: str, said: str, folder: Path) -> EmbeddedError:
    """The error for a server that said this and ended; names a full disk."""
    if "No space left on device" in said or shutil.disk_usage(folder).free == 0:
        return EmbeddedError(f"{what} cannot start: the disk that holds {folder} is full.")
    last = "\n".join(said.splitlines()[-6:])
    return EmbeddedError(f"{what} cannot start. It said:\n{last}")
