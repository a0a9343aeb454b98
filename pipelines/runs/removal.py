"""Emptying folders that other people's code wrote into: whatever their rights, however deep."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def empty(folder: Path) -> bool:
    """Remove what is in the folder, as far as it can be; say whether nothing is left.

    Nothing is followed, and no path grows: a folder in a folder is moved up before its own turn.
    Who writes into it must have ended.
    """
    try:
        os.chmod(folder, 0o700)
        root = os.open(folder, _FOLDER)
    except OSError:
        return not folder.exists()
    try:
        waiting = _emptied(root, root)
        while waiting:
            name = waiting.pop()
            with suppress(OSError):
                opened = os.open(name, _FOLDER, dir_fd=root)
                try:
                    waiting += _emptied(opened, root)
                finally:
                    os.close(opened)
                os.rmdir(name, dir_fd=root)
        return not os.listdir(root)
    finally:
        os.close(root)


def remove(folder: Path) -> bool:
    """Remove the folder with all that is in it; say whether it is gone."""
    empty(folder)
    with suppress(OSError):
        folder.rmdir()
    return not folder.exists()


def _emptied(opened: int, root: int) -> list[str]:
    """Remove files, move folders up to the root; return the folders' names there."""
    folders: list[str] = []
    with os.scandir(opened) as found:
        entries = list(found)
    for entry in entries:
        with suppress(OSError):
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.name, dir_fd=opened)
                continue
            os.chmod(entry.name, 0o700, dir_fd=opened)
            name = entry.name
            if opened != root:
                name = f".gone-{uuid4().hex}"
                os.rename(entry.name, name, src_dir_fd=opened, dst_dir_fd=root)
            folders.append(name)
    return folders
