"""What other people's code leaves in a folder is removed, whatever it is."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.runs import keeping, performance, removal

NOBODY = 65534


@contextmanager
def somebody() -> Iterator[Path]:
    """A folder of a user whom rights bind: root is not."""
    with tempfile.TemporaryDirectory() as made:
        user = os.geteuid()
        if user == 0:
            os.chown(made, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            yield Path(made)
        finally:
            os.seteuid(user)


def nested(folder: Path, levels: int) -> None:
    opened = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=opened)
        inner = os.open("d", os.O_RDONLY, dir_fd=opened)
        os.close(opened)
        opened = inner
    os.close(opened)


def locked(folder: Path) -> None:
    (folder / "result.json" / "inner").mkdir(parents=True)
    (folder / "result.json" / "inner" / "file").write_text("x")
    (folder / "result.json" / "inner").chmod(0)
    (folder / "result.json").chmod(0)
    folder.chmod(0)


def test_folders_without_rights_do_not_stay_in_the_lane() -> None:
    with somebody() as scratch:
        (scratch / "out").mkdir()
        (scratch / "in").mkdir()
        locked(scratch / "out")
        assert performance._cleared(scratch) == scratch
        assert list((scratch / "out").iterdir()) == []


def test_folders_far_deeper_than_python_recurses_do_not_either(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    nested(tmp_path / "out", 3000)
    try:
        assert performance._cleared(tmp_path) == tmp_path
        assert list((tmp_path / "out").iterdir()) == []
    finally:
        removal.empty(tmp_path)  # else pytest fails of it, later


def test_what_cannot_be_removed_is_not_the_next_attempts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out" / "stays").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(removal.os, "rmdir", lambda *words, **more: (_ for _ in ()).throw(OSError))
        other = performance._cleared(tmp_path)
    assert other.parent == tmp_path
    assert list(other.iterdir()) == []
    assert performance._cleared(tmp_path) == tmp_path
    assert not other.exists()


def test_a_link_is_removed_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").write_text("x")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "theirs")
    assert removal.remove(tmp_path / "out")
    assert (tmp_path / "theirs" / "file").read_text() == "x"


def test_what_was_kept_and_is_old_goes_though_it_is_locked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with somebody() as root:
        monkeypatch.setattr(keeping, "_root", lambda: root)
        (root / "kept").mkdir()
        locked(root / "kept")
        os.utime(root / "kept", (0, 0))
        keeping.remove_old()
        assert list(root.iterdir()) == []
