"""The portfolio: every use case the person may see, with what it is worth and how it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet

from personas.models import User
from pipelines.lifecycles import ALERT, RUN
from pipelines.portfolio import sql
from pipelines.portfolio.holding import fetch_light
from pipelines.portfolio.pace import Rest, rests
from pipelines.runs.models import Run
from pipelines.runs.queries.baton import Baton, baton_of
from pipelines.runs.queries.names import definition_of
from pipelines.runs.queries.track import Track, track_of
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import visible_to

PER_PAGE: Final = 25
MOST_PAGES: Final = 400
MOST_COUNTED: Final = 1_000
MOST_EXPORTED: Final = 10_000
LONGEST_SEARCH: Final = 100
STATES: Final = ("", "open", "new", "over")
TIERS: Final = (1, 2, 3)
SORTS: Final = sql.SORTS
OPEN: Final = "state IN ('READY', 'ACTIVE', 'IN_REVIEW', 'FAILED')"
NO_REST: Final = "(NULL::text, NULL::float8[], NULL::float8[], NULL::float8[])"


@dataclass(frozen=True)
class Wanted:
    """What a person looks for. `sort`: a column, with "-" before it the other way round."""

    search: str = ""
    state: str = ""
    persona: str = ""
    tier: int | None = None
    blueprint: str = ""
    sort: str = "moved"
    page: int = 1

    @property
    def column(self) -> str:
        """The column sorted by; an unknown one counts as none given."""
        found = self.sort.removeprefix("-")
        return found if found in sql.SORTS else "moved"

    @property
    def turned(self) -> bool:
        """Whether the order is the other way round."""
        return self.sort.startswith("-") and self.sort.removeprefix("-") in sql.SORTS

    @property
    def narrowed(self) -> bool:
        """Whether anything but the order is asked for."""
        return bool(self.search or self.state or self.persona or self.tier or self.blueprint)


@dataclass(frozen=True)
class Line:
    """One use case. None where there is nothing to tell; `forecast`: with 50 and 85 % of the past.

    `age` is of the stage's round; `score` the Test Score of its history's last entry.
    """

    use_case: UseCase
    run: int | None
    stage: str
    stage_code: str
    stage_title: str
    persona: str
    owner: str
    since: datetime | None
    age: timedelta | None
    due: datetime | None
    value: float | None
    currency: str
    tier: int | None
    score: float | None
    forecast: datetime | None
    forecast_p85: datetime | None
    model: str
    champion: int | None
    live_since: datetime | None
    alerts: int
    red_alerts: int
    blueprint: str
    baton: Baton | None = None
    track: Track | None = None
    latest: Run | None = None


@dataclass(frozen=True)
class Portfolio:
    """One page of lines; `count` goes to `MOST_COUNTED` + 1, which means "more"."""

    now: datetime
    wanted: Wanted
    lines: tuple[Line, ...]
    count: int
    more: bool

    @property
    def first(self) -> int:
        """The place of the first line."""
        return (self.wanted.page - 1) * PER_PAGE + 1

    @property
    def last(self) -> int:
        """The place of the last line."""
        return self.first + len(self.lines) - 1

    @property
    def uncounted(self) -> bool:
        """Whether there are more than were counted."""
        return self.count > MOST_COUNTED


def portfolio(user: User, wanted: Wanted) -> Portfolio:
    """Return one page, with who holds each and its relay; at most eleven queries."""
    ends = rests()
    time, found, count = _found(user, wanted, ends, PER_PAGE + 1)
    if not found and count:  # past the end: the last page that is there
        wanted = replace(wanted, page=min(-(-count // PER_PAGE), MOST_PAGES))
        time, found, count = _found(user, wanted, ends, PER_PAGE + 1)
    lines = _lines(found[:PER_PAGE], time, ends)
    shown = tuple(_with_relay(lines, time))
    return Portfolio(time, wanted, shown, count, len(found) > PER_PAGE)


def exported(user: User, wanted: Wanted) -> tuple[Line, ...]:
    """Return what a person looks for, on all pages at once (`MOST_EXPORTED`); five queries."""
    ends = rests()
    time, found, _ = _found(user, replace(wanted, page=1), ends, MOST_EXPORTED)
    return tuple(_lines(found, time, ends))


def _found(
    user: User, wanted: Wanted, ends: Mapping[str, Rest], most: int
) -> tuple[datetime, list[int], int]:
    """Return now, the use cases of a page in their order, and how many there are; one query.

    What has no value stands last, whichever way it is sorted.
    """
    expression, needs, most_first = sql.SORTS[wanted.column]
    way = "DESC" if most_first is not wanted.turned else "ASC"
    conditions, needed, values = _conditions(user, wanted)
    text = (
        "SELECT baton_now(), ARRAY("  # noqa: S608 - texts of this package alone
        f"SELECT u.id FROM usecases_usecase u {sql.joined(*needed, *needs)}"
        f" WHERE {conditions} ORDER BY {expression} {way} NULLS LAST, u.id DESC"
        " LIMIT %(most)s OFFSET %(skip)s), (SELECT count(*) FROM ("
        f"SELECT 1 FROM usecases_usecase u {sql.joined(*needed)}"
        f" WHERE {conditions} LIMIT {MOST_COUNTED + 1}) counted)"
    ).replace("%(now)s", "(SELECT baton_now())")
    skip = (min(wanted.page, MOST_PAGES) - 1) * PER_PAGE
    [(time, ids, count)] = _rows(text, ends, {**values, "most": most, "skip": skip})
    return time, ids, count


def _conditions(user: User, wanted: Wanted) -> tuple[str, list[str], dict[str, Any]]:
    """Return what narrows the list, the joins that it looks at, and its values."""
    found, needed, values = ["true"], [], {}  # type: list[str], list[str], dict[str, Any]
    if not user.can("read_all"):
        text, seen = named(visible_to(user.pk).values("pk"), "seen")
        found.append(f"u.id IN ({text})")
        values |= seen
    if search := wanted.search[:LONGEST_SEARCH].strip():
        found.append(
            "(u.title ILIKE %(search)s OR u.question ILIKE %(search)s OR u.key ILIKE %(search)s)"
        )
        plain = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        values["search"] = f"%{plain}%"
    if wanted.state:
        needed.append("run")
        values["states"] = sorted(RUN.open if wanted.state == "open" else RUN.terminal)
        started = "r.state = ANY(%(states)s) AND r.state <> 'PENDING'"
        found.append("(r.id IS NULL OR r.state = 'PENDING')" if wanted.state == "new" else started)
    if wanted.persona:
        found.append(
            "EXISTS (SELECT 1 FROM runs_stage hs JOIN runs_run hr ON hr.id = hs.run_id"  # noqa: S608
            " WHERE hr.use_case_id = u.id AND hr.state = ANY(%(open_runs)s) AND hs.current"
            f" AND hs.persona_id = %(persona)s AND hs.{OPEN})"
        )
        values |= {"persona": wanted.persona, "open_runs": sorted(RUN.open)}
    if wanted.tier is not None:
        needed.append("brief")
        found.append("f.tier = %(tier)s")
        values["tier"] = wanted.tier
    if wanted.blueprint:
        needed.append("plan")
        found.append("b.key = %(blueprint)s")
        values["blueprint"] = wanted.blueprint
    return " AND ".join(found), needed, values


def named(rows: QuerySet[Any], name: str) -> tuple[str, dict[str, Any]]:
    """Return a queryset as text for a larger statement, with its values under names."""
    text, values = rows.query.sql_with_params()
    names = [f"{name}{number}" for number in range(len(values))]
    return text % tuple(f"%({each})s" for each in names), dict(zip(names, values, strict=True))


def _rows(text: str, ends: Mapping[str, Rest], values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run a statement of this module, with the table of what is left where it is looked at."""
    given = {"open_alerts": sorted(ALERT.open), **values}
    if "{rests}" in text:
        names = []
        for number, (key, rest) in enumerate(ends.items()):
            place = f"e{number}"
            names.append(
                f"(%({place}k)s::text, %({place}x)s::float8[], %({place}m)s::float8[],"
                f" %({place}l)s::float8[])"
            )
            given |= {f"{place}k": key, f"{place}x": list(rest.ends)}
            given |= {f"{place}m": list(rest.p50), f"{place}l": list(rest.p85)}
        text = text.replace("{rests}", ", ".join(names) or NO_REST)
    with connection.cursor() as cursor:
        cursor.execute(text, given)
        return list(cursor.fetchall())


def _lines(ids: Sequence[int], time: datetime, ends: Mapping[str, Rest]) -> list[Line]:
    """Return the lines of these use cases, in this order; three queries."""
    everything = sql.joined(
        *("run", "stage", "rest", "brief", "score", "champion", "alerts", "plan", "owner")
    )
    text = f"{sql.LINE} FROM usecases_usecase u {everything} WHERE u.id = ANY(%(ids)s)"
    by_use_case = {row[0]: row for row in _rows(text, ends, {"ids": list(ids), "now": time})}
    use_cases = UseCase.objects.select_related("created_by").in_bulk(list(ids))
    wanted = [row[1] for row in by_use_case.values() if row[1]]
    runs = Run.objects.select_related("use_case").in_bulk(wanted)
    return [
        _line(use_cases[pk], by_use_case[pk], runs.get(by_use_case[pk][1]), time)
        for pk in ids
        if pk in use_cases and pk in by_use_case
    ]


def _line(use_case: UseCase, row: tuple[Any, ...], run: Run | None, time: datetime) -> Line:
    _, run_id, _, key, persona, owner, _, since, due, *rest = row
    value, currency, tier, score, p50, p85, model, champion, live, alerts, red, plan = rest
    stage = definition_of(run, key) if run is not None and key else None
    return Line(
        use_case=use_case,
        run=run_id,
        stage=key or "",
        stage_code=stage.code if stage else "",
        stage_title=stage.title if stage else "",
        persona=persona or "",
        owner=owner or "",
        since=since,
        age=max(time - since, timedelta(0)) if since else None,
        due=due,
        value=value,
        currency=currency,
        tier=tier,
        score=score,
        forecast=p50,
        forecast_p85=p85,
        model=model,
        champion=champion,
        live_since=live,
        alerts=alerts or 0,
        red_alerts=red or 0,
        blueprint=plan,
        latest=run,
    )


def _with_relay(lines: Sequence[Line], time: datetime) -> list[Line]:
    """Add who holds each and its relay so far; six queries."""
    runs = [line.latest for line in lines if line.latest is not None]
    fetch_light(runs)
    return [replace(line, **_relay(line, time)) for line in lines]


def _relay(line: Line, time: datetime) -> dict[str, Any]:
    run = line.latest
    if run is None:
        made = f"A draft of {line.use_case.created_by}; no run has been started."
        return {"baton": Baton(over=made if line.use_case.draft else "No run has been started.")}
    drawn = track_of(run, run.all_stages, run.all_hand_offs, now=time)  # type: ignore[attr-defined]
    return {"baton": baton_of(run), "track": drawn}
