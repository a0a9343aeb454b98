"""Find use cases, runs, models, people and documents by words, among what somebody may see.

One query for each noun finds the rows, one more fetches what is shown of them. A word of two
letters may fit half of all runs: at most `CANDIDATES` of them, the newest, are ranked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import and_
from typing import Final

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F

from personas.models import User
from pipelines.documents import library
from pipelines.registry.models import Model
from pipelines.runs.models import Run
from pipelines.search.models import MODEL, PERSON, RUN, USE_CASE, Entry
from pipelines.search.words import Asked, Piece, ask, excerpt, is_prefix, mark
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import visible

DOCUMENT: Final = "document"
ALL: Final = (USE_CASE, RUN, MODEL, PERSON, DOCUMENT)
FEW: Final = 6  # of each noun where all are asked for
MANY: Final = 50  # of the only noun asked for
CANDIDATES: Final = 500
DOCUMENTS: Final = 12  # of one answer: use cases times kinds
# Words that name a noun: "run 3" asks for a run numbered 3; elsewhere they are words like others.
NAMES: Final[Mapping[str, frozenset[str]]] = {
    USE_CASE: frozenset({"use", "case", "cases"}),
    RUN: frozenset({"run", "runs"}),
    MODEL: frozenset({"model", "models"}),
    PERSON: frozenset({"person", "people"}),
    DOCUMENT: frozenset({"document", "documents"}),
}


@dataclass(frozen=True)
class Hit:
    """One thing found: what its page is known by, its title and a line about it, marked."""

    noun: str
    pk: int
    key: str
    title: tuple[Piece, ...]
    where: tuple[Piece, ...]
    state: str
    at: datetime | None

    @property
    def name(self) -> str:
        """Return the title as plain text."""
        return "".join(piece.text for piece in self.title)


@dataclass(frozen=True)
class Group:
    """What was found of one noun, the best first; `more` says that there is more of it."""

    noun: str
    hits: tuple[Hit, ...]
    more: bool


@dataclass(frozen=True)
class Found:
    """The answer to a query."""

    asked: Asked
    groups: tuple[Group, ...]

    @property
    def total(self) -> int:
        """Return how many hits are shown."""
        return sum(len(group.hits) for group in self.groups)


def search(user: User, text: str, *, noun: str = "") -> Found:
    """Return what the person may see and the words find: a few of each noun, or many of one."""
    asked = ask(text)
    if not asked.words:
        return Found(asked, ())
    most = MANY if noun else FEW
    wanted = [one for one in ALL if not noun or one == noun]
    groups = (_group(user, asked.words, one, most) for one in wanted)
    return Found(asked, tuple(group for group in groups if group.hits))


def _group(user: User, words: tuple[str, ...], noun: str, most: int) -> Group:
    if noun == DOCUMENT:
        hits = _documents(user, words)
        return Group(noun, tuple(hits[:most]), len(hits) > most)
    ids = _ids(user, _without(words, noun), noun, most + 1)
    hits = _SHOWN[noun](user, ids, words) if ids else []
    return Group(noun, tuple(hits[:most]), len(ids) > most)


def _without(words: Sequence[str], noun: str) -> tuple[str, ...]:
    return tuple(word for word in words if word not in NAMES[noun])


def _ids(user: User, words: Sequence[str], noun: str, most: int) -> list[int]:
    """Return the ids of the rows the words find, the best first, then the newest."""
    rows = Entry.objects.filter(noun=noun)
    if noun != PERSON and not user.can("read_all"):
        rows = rows.filter(use_case_id__in=visible(user).order_by().values("pk"))
    if not words:
        return list(rows.order_by("-at", "-id").values_list("object_id", flat=True)[:most])
    query = _query(words)
    near = rows.filter(words=query).order_by("-at", "-id").values("pk")[:CANDIDATES]
    ranked = Entry.objects.filter(pk__in=near).annotate(rank=SearchRank(F("words"), query))
    found = ranked.order_by("-rank", "-at", "-id").values_list("object_id", flat=True)
    return list(found[:most])


def _query(words: Sequence[str]) -> SearchQuery:
    """Return a query for rows with every word: as it begins, or as its English stem."""
    return reduce(and_, (_one(word) for word in words))


def _one(word: str) -> SearchQuery:
    # Only letters and digits: quoting it is enough.
    written = SearchQuery(
        f"'{word}':*" if is_prefix(word) else f"'{word}'", config="simple", search_type="raw"
    )
    if not is_prefix(word):
        return written
    return written | SearchQuery(word, config="english", search_type="plain")


def _ordered(ids: Sequence[int], rows: Mapping[int, Hit]) -> list[Hit]:
    return [rows[pk] for pk in ids if pk in rows]


def _use_cases(user: User, ids: Sequence[int], words: Sequence[str]) -> list[Hit]:
    rows = visible(user).filter(pk__in=ids).order_by()
    return _ordered(ids, {row.pk: _use_case(row, words) for row in rows})


def _use_case(row: UseCase, words: Sequence[str]) -> Hit:
    state = "draft" if row.draft else "RETIRED" if row.retired_at else ""
    about = excerpt(row.question, words)
    return Hit(
        USE_CASE, row.pk, row.key, mark(row.title, words), mark(about, words), state, row.created_at
    )


def _runs(user: User, ids: Sequence[int], words: Sequence[str]) -> list[Hit]:
    rows = Run.objects.filter(pk__in=ids, use_case__in=visible(user)).order_by()
    found = {}
    for row in rows.select_related("use_case").defer("parameters", "inputs", "trigger"):
        title = mark(f"{row.use_case.title}, {row.label}", words)
        about = mark(excerpt(row.reason, words), words)
        found[row.pk] = Hit(RUN, row.pk, str(row.pk), title, about, row.state, row.created_at)
    return _ordered(ids, found)


def _models(user: User, ids: Sequence[int], words: Sequence[str]) -> list[Hit]:
    rows = Model.objects.filter(pk__in=ids, use_case__in=visible(user)).order_by()
    found = {
        row.pk: Hit(
            MODEL, row.pk, row.name, mark(row.name, words), mark(row.title, words), "",
            row.created_at,
        )
        for row in rows
    }  # fmt: skip
    return _ordered(ids, found)


def _people(user: User, ids: Sequence[int], words: Sequence[str]) -> list[Hit]:
    """Return the people; one who may not sign in is shown to who manages people only."""
    rows = User.objects.filter(pk__in=ids).order_by().prefetch_related("personas")
    if not user.can("users.manage"):
        rows = rows.filter(is_active=True)
    found = {}
    for row in rows:
        held = ", ".join(one.title for one in row.personas.all())
        about = mark(f"{row.username} · {held}" if held else row.username, words)
        state = "" if row.is_active else "inactive"
        title = mark(str(row), words)
        found[row.pk] = Hit(PERSON, row.pk, row.username, title, about, state, None)
    return _ordered(ids, found)


Shown = Callable[[User, Sequence[int], Sequence[str]], list[Hit]]
_SHOWN: Final[Mapping[str, Shown]] = {
    USE_CASE: _use_cases, RUN: _runs, MODEL: _models, PERSON: _people,
}  # fmt: skip


def _documents(user: User, words: Sequence[str]) -> list[Hit]:
    """Return documents whose kind some words name, of the use cases that the others find."""
    kinds, rest = _kinds(_without(words, DOCUMENT))
    if not kinds and NAMES[DOCUMENT].intersection(words):
        kinds = list(library.KINDS.values())
    if not kinds:
        return []
    ids = _ids(user, rest, USE_CASE, MANY)
    begun = visible(user).filter(pk__in=ids, runs__started_at__isnull=False).order_by().distinct()
    rows = {row.pk: row for row in begun.defer("parameters", "inputs")}
    return [
        Hit(
            DOCUMENT, pk, f"{rows[pk].key}/{kind.key}", mark(kind.title, words),
            mark(rows[pk].title, words), "", None,
        )
        for pk in ids
        if pk in rows
        for kind in kinds
    ][:DOCUMENTS]  # fmt: skip


def _kinds(words: Sequence[str]) -> tuple[list[library.Kind], tuple[str, ...]]:
    """Return the kinds of documents named by the most words, and the words that name none."""
    named = {
        kind.key: {word for word in words if _names(kind, word)} for kind in library.KINDS.values()
    }
    most = max((len(found) for found in named.values()), default=0)
    if not most:
        return [], tuple(words)
    kinds = [kind for kind in library.KINDS.values() if len(named[kind.key]) == most]
    used = set().union(*(named[kind.key] for kind in kinds))
    return kinds, tuple(word for word in words if word not in used)


def _names(kind: library.Kind, word: str) -> bool:
    own = ask(kind.title).words
    return any(one == word or (len(word) > 2 and one.startswith(word)) for one in own)
