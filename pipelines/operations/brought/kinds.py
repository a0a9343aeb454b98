"""What a model file is, by its content; and why some kinds are refused. Standard library only.

The name of a file says nothing here: a pickle called `model.onnx` is a pickle.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SKOPS: Final = "skops"
ONNX: Final = "onnx"
LOOKED_AT: Final = 4096  # bytes: every mark below stands at the beginning
SCHEMA: Final = "schema.json"
ENTRY_MAGIC: Final = 16

RUNS_CODE: Final = "which runs whatever code it names as soon as it is opened"
BRING: Final = "Bring it as ONNX, or a scikit-learn pipeline as skops (skops.io.dump)."


@dataclass(frozen=True)
class Kind:
    """What a file is; `refusal` says why it is not taken, and is empty for skops and ONNX."""

    name: str
    refusal: str = ""


# Formats by their first bytes, each with what it is.
MARKS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras wrote them; its layers may hold code"),
    (b"PAR1", "a Parquet table, no model"),
    (b"TFL3", "a TensorFlow Lite model"),
    (b"GGUF", "a GGUF model"),
    (b"\x93NUMPY", "a NumPy array, no model"),
    (b"tree\nversion=", "a LightGBM text model: convert it with onnxmltools"),
    (b"binf", "an XGBoost binary: convert it with onnxmltools"),
    (b"CBM1", "a CatBoost binary: save it with format='onnx'"),
    (b"%PDF", "a PDF"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#!", "a script"),
)
PICKLE_ENDINGS: Final = ("pkl", "pickle", "joblib", "dill")
SHOWN: Final = 80  # characters of an entry's name
# What Python's own reader raises for entries; ValueError: names or sizes that make no sense.
UNREADABLE: Final = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError,
    zlib.error, lzma.LZMAError,
)  # fmt: skip
Opener = Callable[[bytes], bytes]


def kind_of(path: Path) -> Kind:
    """What the file holds, by looking; never by its name."""
    with path.open("rb") as stream:
        head = stream.read(LOOKED_AT)
    if not head:
        return Kind("empty", "it is empty (0 bytes)")
    if is_pickle(head):
        return Kind("pickle", f"it is a pickle, {RUNS_CODE}. {BRING}")
    inner = _unpacked(head)
    if inner is not None:
        if is_pickle(inner):
            return Kind("joblib", f"it is a compressed pickle (joblib), {RUNS_CODE}. {BRING}")
        return Kind("compressed", f"it is compressed: unpack it first. {BRING}")
    if head[:4] == b"PK\x03\x04":
        return _zip(path)
    for mark, what in MARKS:
        if head.startswith(mark) or (mark == b"TFL3" and head[4:8] == mark):
            return Kind("other", f"it is {what}. {BRING}")
    if head.lstrip()[:1] in (b"{", b"[", b"<"):
        return Kind("text", f"it is a text (JSON or XML), no model file. {BRING}")
    if _protobuf(head):
        return Kind(ONNX)
    return Kind("unknown", f"it begins with {head[:8].hex(' ')}, as neither skops nor ONNX do.")


def is_pickle(head: bytes) -> bool:
    """Whether bytes begin as a pickle of any protocol does."""
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return True
    # Protocols 0 and 1 have no mark: these are the opcodes with which an object begins.
    return _line(head, b"c") or head[:3] in (b"(lp", b"(dp", b"(ip", b"]q\x00", b"}q\x00")


def _line(head: bytes, opcode: bytes) -> bool:
    """An import of protocol 0: `c`, a module's name, a line's end, a name."""
    module, _, rest = head[1:200].partition(b"\n")
    name = rest.partition(b"\n")[0]
    return (
        head[:1] == opcode
        and module.replace(b".", b"").replace(b"_", b"").isalnum()
        and name.replace(b".", b"").replace(b"_", b"").isalnum()
        and b"\n" in rest
    )


def _unpacked(head: bytes) -> bytes | None:
    """The beginning of what is compressed, or None for what is not."""
    openers: tuple[tuple[tuple[bytes, ...], Callable[[], object]], ...] = (
        ((b"\x1f\x8b",), lambda: zlib.decompressobj(wbits=31)),
        ((b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"), zlib.decompressobj),
        ((b"BZh",), bz2.BZ2Decompressor),
        ((b"\xfd7zXZ", b"\x5d\x00\x00"), lzma.LZMADecompressor),
    )
    for marks, opener in openers:
        if head.startswith(marks):
            try:
                return bytes(opener().decompress(head, LOOKED_AT))  # type: ignore[attr-defined]
            except (zlib.error, lzma.LZMAError, gzip.BadGzipFile, OSError, EOFError):
                return b""
    return None


def _zip(path: Path) -> Kind:
    """What a zip holds: skops, or one of the many things that call themselves models."""
    with _archive(path) as archive:
        if archive is None:
            return Kind("zip", "it begins as a zip archive and is none that can be read")
        names = archive.namelist()
        refusal = next(_refused_entries(archive), "")
        if refusal:
            return Kind("zip", f"it is a zip archive {refusal}. {BRING}")
        if SCHEMA in names:
            return Kind(SKOPS)
        if "config.json" in names and any(name.endswith(".h5") for name in names):
            return Kind("zip", f"it is a Keras archive; its layers may hold code. {BRING}")
        shown = ", ".join(sorted(names)[:4])
        return Kind("zip", f"it is a zip archive without {SCHEMA}, so not skops; it holds {shown}")


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile | None]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError):
        yield None
        return
    with archive:
        yield archive


def _refused_entries(archive: zipfile.ZipFile) -> Iterator[str]:
    """Why entries are not taken: pickles by name or first bytes, and what cannot be looked at."""
    for info in archive.infolist():
        named = info.filename.rsplit(".", 1)[-1].lower() in PICKLE_ENDINGS
        head = b"" if named else _entry_head(archive, info)
        if head is None:
            # encrypted, packed in a way that Python does not know, or damaged: whoever opens it
            # next may be able to, so that what was not seen here is not let in
            yield f"whose entry {info.filename[:SHOWN]!r} cannot be read"
        elif named or is_pickle(head):
            yield (
                f"that holds the pickle {info.filename[:SHOWN]!r} (as torch.save writes),"
                f" {RUNS_CODE}"
            )


def _entry_head(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
    try:
        with archive.open(info) as stream:
            head = stream.read(ENTRY_MAGIC)
    except UNREADABLE:
        return None
    # an entry that says it holds something and gives nothing is as unreadable
    return head if head or not info.file_size else None


def _protobuf(head: bytes) -> bool:
    """ONNX is a protobuf whose first field is its version: a small number in field 1."""
    return head[:1] == b"\x08" and 0 < head[1] < 64
