"""When use cases will be done, what a change would do, how past forecasts held."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from personas.errors import Invalid
from pipelines.insights import reading, sql
from pipelines.insights.answers import FlowForecast, UseCaseForecast, WhatIfForecast
from pipelines.insights.flow.calibration import calibration
from pipelines.insights.flow.forecast import Forecast
from pipelines.insights.flow.records import DAY, History
from pipelines.insights.flow.walks import Past, Place, Road, WhatIf, past, remaining, road, whole
from pipelines.insights.histories import history, plan_of, usual_plan
from pipelines.insights.keeping import Kept
from pipelines.insights.reading import NO_BRIEF, Question, Scope, asked

PAST_VISITS: Final = 2_000  # newest of all use cases, that forecasts draw from
MOST_FORECASTS: Final = 200
LIST_WALKS, LIST_DRAWS = 500, 300  # for lists: half the precision, a quarter of the time
EVERYTHING: Final = Scope()
_PASTS: Final = Kept[Past](lambda found: found.n >= PAST_VISITS // 2)


def forecasts(use_cases: Sequence[int]) -> dict[int, UseCaseForecast]:
    """Return when the newest run of each use case will be done; those without one are left out.

    Four statements, however many use cases; two while the past is kept. Whether the caller may
    see them is the caller's to know.
    """
    places = reading.rows(sql.PLACES, {"use_cases": list(use_cases)}) if use_cases else []
    if not places:
        return {}
    known, briefs = _past(places[0][7]), reading.briefs([row[2] for row in places])
    found = {}
    ways: dict[tuple[tuple[str, ...], int | None], Road | None] = {}
    for pk, use_case, run, stage, started, stages, since, now in places:
        kind = (tuple(stages), briefs.get(run, NO_BRIEF).tier)
        if kind not in ways:
            ways[kind] = road(known, *kind, trials=LIST_WALKS)
        way = ways[kind]
        told = Forecast(0, known.days, 0, False)
        if way is not None:
            age = (now - (started or since)).total_seconds()
            place = Place(stages.index(stage), max(age, 0.0), started is not None)
            told = remaining(way, place, draws=LIST_DRAWS)
        found[pk] = UseCaseForecast(pk, use_case, run, stage, now, told, *told.dates(now))
    return found


def flow_forecast(
    question: Question, scope: Scope, *, change: WhatIf | None = None
) -> FlowForecast:
    """Return when what is under way will be done, what a change would do, and the calibration.

    13 statements. Raises Invalid for a change of a stage that the blueprint does not have.
    """
    found = history(question, scope)
    plan = plan_of(question.blueprint or usual_plan(found.visits))
    stages = [stage.key for stage in plan]
    _refuse_unknown(change, stages)
    under_way = (run.use_case_id for run in found.runs if run.finished is None)
    told = forecasts(list(dict.fromkeys(under_way))[:MOST_FORECASTS])
    return FlowForecast(
        window=found.window,
        n=len(told),
        use_cases=tuple(
            sorted(told.values(), key=lambda one: (one.p85 is None, one.p85 or one.now))
        ),
        what_if=_what_if(found, stages, question, change) if change is not None else None,
        calibration=calibration(found.runs, found.visits, stages),
    )


def _refuse_unknown(change: WhatIf | None, stages: Sequence[str]) -> None:
    if change is None:
        return
    named = {"parallel": change.parallel, "reviewer": (change.reviewer,), "drop": (change.drop,)}
    rule = f"must be among {', '.join(stages) or 'no stage'}, got "
    problems = {
        field: [rule + repr(one) for one in names if one and one not in stages]
        for field, names in named.items()
    }
    found = {field: rules for field, rules in problems.items() if rules}
    if found:
        raise Invalid("The change names a stage that is not there.", fields=found)


def _past(now: datetime) -> Past:
    """Return what forecasts draw from; a large past may be a minute old."""
    return _PASTS.get("past", lambda: _read_past(now - reading.LONGEST * DAY))


def _read_past(since: datetime) -> Past:
    found = asked(sql.VISITS, Question(), EVERYTHING, since=since, most=PAST_VISITS, only=sql.ENDED)
    briefs = reading.briefs(sorted({row[1] for row in found}))
    return past(reading.visit_of(row, briefs.get(row[1], NO_BRIEF), None) for row in found)


def _what_if(
    found: History, stages: Sequence[str], question: Question, change: WhatIf
) -> WhatIfForecast:
    known = past(found.visits)
    now, then = (road(known, stages, question.tier, change=one) for one in (None, change))
    before, after = (whole(way) if way is not None else None for way in (now, then))
    saved = None
    if before is not None and after is not None and before.p50 is not None:
        saved = before.p50 - after.p50 if after.p50 is not None else None
    return WhatIfForecast(
        blueprint=question.blueprint or usual_plan(found.visits),
        tier=question.tier,
        change=change,
        n=known.n,
        before=before,
        after=after,
        saved=saved,
        returns_before=now.returns if now else None,
        returns_after=then.returns if then else None,
    )
