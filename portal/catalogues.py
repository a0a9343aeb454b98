"""Catalogues of translated texts: read out of the sources, and made into what Django loads.

Babel does both, so no system package is needed; Django turns its templates into what Babel reads.
The compiled files are not kept in git: `make`, the image and the tests make them.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

DOMAIN: Final = "django"
SOURCES: Final = ("personas", "pipelines", "portal")
# Django's names for what Babel calls gettext; a number's place says which argument is what.
KEYWORDS: Final[dict[str, tuple[int | tuple[int, str], ...] | None]] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def folder() -> Path:
    """Return where the catalogues are."""
    return Path(settings.LOCALE_PATHS[0])


def catalogues() -> list[Path]:
    """Return the catalogue of each language, by code."""
    return sorted(folder().glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def compile_stale() -> list[Path]:
    """Compile the catalogues whose compiled file is missing or older; return those."""
    made = []
    for source in catalogues():
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        with io.BytesIO() as compiled:
            write_mo(compiled, read(source))
            draft = target.with_suffix(f".{os.getpid()}")  # two test processes may both be at it
            draft.write_bytes(compiled.getvalue())
        draft.replace(target)
        made.append(target)
    return made


def read(path: Path) -> Catalog:
    """Return a catalogue. Raises PoFileError where it is no catalogue."""
    with path.open("rb") as text:
        return read_po(text, locale=path.parent.parent.name, domain=DOMAIN, abort_invalid=True)


def texts(root: Path) -> Catalog:
    """Return every translatable text of the sources, with the places it stands at."""
    found = Catalog(project="Baton", charset="utf-8")
    for place, content in _sources(root):
        name = place.relative_to(root).as_posix()
        for message, context in in_text(content):
            found.add(message, locations=[(name, 0)], context=context)
    return found


def in_text(source: str) -> Iterator[tuple[Any, str | None]]:
    """Yield each translatable text of Python source (a pair for one and many), with its context."""
    for _line, message, _comments, context in extract(
        "python", io.BytesIO(source.encode()), KEYWORDS
    ):
        yield message, context


def _sources(root: Path) -> Iterator[tuple[Path, str]]:
    for top in SOURCES:
        for path in sorted((root / top).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")
    for path in sorted((root / "templates").rglob("*.html")):
        yield path, plain(path.read_text(encoding="utf-8"), path.name)


def plain(template: str, name: str) -> str:
    """Return a template as lines that Babel reads as Python: texts in calls, the rest blanked.

    The lines lose their indentation, which is none of Python's.
    """
    return "\n".join(line.lstrip() for line in templatize(template, origin=name).split("\n"))


def update(root: Path) -> dict[str, list[str]]:
    """Bring every catalogue up to the sources; return the untranslated texts by language."""
    still = {}
    for path, catalogue in _renewed(root):
        with path.open("wb") as out:
            write_po(out, catalogue, width=100, sort_output=True, include_lineno=False)
        still[path.parent.parent.name] = untranslated(catalogue)
    return still


def lacking(root: Path) -> dict[str, list[str]]:
    """Return the texts of the sources that have no translation, by language; writes nothing."""
    return {path.parent.parent.name: untranslated(known) for path, known in _renewed(root)}


def _renewed(root: Path) -> Iterator[tuple[Path, Catalog]]:
    """Yield each catalogue with the texts that the sources hold now.

    A text that was only changed is not guessed at: it is new, and the old one is kept as obsolete.
    """
    template = texts(root)
    for path in catalogues():
        known = read(path)
        known.update(template, no_fuzzy_matching=True, update_creation_date=False)
        yield path, known


def untranslated(catalogue: Catalog) -> list[str]:
    """Return the texts that have no translation (for one number or for any)."""
    found = []
    for message in catalogue:
        said = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and (not all(said) or message.fuzzy):
            found.append(message.id if isinstance(message.id, str) else message.id[0])
    return found
