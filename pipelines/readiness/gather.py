"""Evidence from rows: what the runs, releases and answers of a use case say.

Every function is one query, or none.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import Case, CharField, Count, Exists, F, Max, OuterRef, Q, Value, When
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Concat

from pipelines.lifecycles import (
    AttemptState,
    DecisionState,
    GateState,
    StageState,
    Verdict,
    WorkItemState,
)
from pipelines.readiness.evidence import Computed, Evidence, Judged, Release, Source
from pipelines.registry.models import LIVE, Deployment, ModelVersion
from pipelines.runs.models import Attempt, Check, Decision, Run, Stage, WorkItem
from pipelines.runs.rows import Rows
from pipelines.serving.models import Prediction
from pipelines.usecases.models import UseCase

DEFINES: Final = ("build_features", "build_inputs")
JUDGES: Final = (
    "evaluate_model", "evaluate_forecast", "evaluate_classes", "judge_clusters", "judge_anomalies",
)  # fmt: skip
QUALITY_CHECKS: Final = ("target_met", "injected_recall", "clusters_beat_chance")
# What of the release before is compared with this one's.
COMPARED: Final = (
    "retrain_clean", "refit_anomalies", "infer_contract", "load_test", "search_candidate",
    "train_candidate",
)  # fmt: skip
ANALYST: Final = "BA"  # who answers for the use of what the researcher stands by (W26)
WATCHED: Final = ("measure_quality", "measure_alerts")


def computed(use_case: int) -> dict[str, Computed]:
    """How often each operation was computed for the use case, in all its runs and watches.

    An operation with modes counts by mode, too (`measure_traffic:canary`).
    """
    rows = Attempt.objects.filter(run__use_case=use_case, state=AttemptState.SUCCEEDED)
    mode = Case(
        When(operation="measure_traffic", then=KeyTextTransform("mode", "params")),
        default=Value(""),
        output_field=CharField(),
    )
    found: dict[str, Computed] = {}
    counted = rows.annotate(mode=mode).values("operation", "mode").order_by()
    for row in counted.annotate(
        times=Count("id", filter=Q(cached_from=None)),
        cached=Count("cached_from"),
        last=Max("finished_at", filter=Q(cached_from=None)),
    ):
        one = Computed(row["times"], row["cached"], row["last"])
        name = row["operation"]
        found[name] = _sum(found.get(name), one)
        if row["mode"]:
            found[f"{name}:{row['mode']}"] = one
    return found


def _sum(first: Computed | None, second: Computed) -> Computed:
    if first is None:
        return second
    lasts = [one.last for one in (first, second) if one.last is not None]
    return Computed(
        first.times + second.times, first.cached + second.cached, max(lasts, default=None)
    )


def steps(rows: Rows) -> dict[str, Source]:
    """The present result of each operation in the current rounds, with its digests and time."""
    named: dict[str, Source] = {}
    present = [s for s in (*rows.steps.values(), *rows.contract_steps.values()) if s.result_id]
    ids = [step.result_id for step in present if step.result_id is not None]
    told = Attempt.objects.filter(pk__in=ids)
    times, codes = {}, {}
    for pk, at, number in told.values_list("id", "finished_at", "operation_version"):
        times[pk], codes[pk] = at, number
    # Of several steps of one operation the one that ended last is the present evidence.
    present.sort(key=lambda step: (times.get(step.result_id or 0) or step.created_at, step.pk))
    for step in present:
        result = step.result
        if result is None:
            continue
        digests = {name: str(output["digest"]) for name, output in result.outputs.items()}
        code = f"{step.operation} version {codes.get(result.pk, 1)}"
        label = f"{step.stage.key}.{step.key}, attempt {result.number}, {code}"
        source = Source("step", step.pk, label, times.get(result.pk), rows.run.pk, digests)
        named[step.operation] = source
        mode = result.facts.get("mode")
        if step.operation == "measure_traffic" and mode:
            named[f"measure_traffic:{mode}"] = source
    return named


def checks(rows: Rows) -> dict[str, Judged]:
    """The latest verdict of each check in the current rounds, of gates and of contracts."""
    current = {stage.pk for stage in rows.stages.values()}
    found = Check.objects.filter(run=rows.run, stage__in=current).select_related("gate")
    judged: dict[str, Judged] = {}
    for check in found.defer("gate__pack").order_by("pk"):
        gate = check.gate
        judged[check.name] = Judged(
            name=check.name,
            verdict=check.verdict,
            summary=str(check.result.get("summary", "")).rstrip("."),
            noun="gate" if gate else "hand_off",
            pk=check.gate_id or check.hand_off_id or 0,
            decided=gate is not None
            and gate.state == GateState.APPROVED
            and gate.closed_by_id is not None,
            at=check.judged_at,
        )
    return judged


def review(run: Run) -> tuple[tuple[str, ...], int]:
    """Who approved the gate in which the model's quality was judged; nobody is its author."""
    approvals = (
        Decision.objects.filter(
            gate__run=run,
            gate__stage__current=True,
            gate__checks__name__in=QUALITY_CHECKS,
            gate__state=GateState.APPROVED,
            state=DecisionState.IN_FORCE,
            verdict__in=(Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS),
        )
        .select_related("user", "on_behalf_of")
        .order_by("at")
    )
    found = {decision.pk: (decision.who, decision.gate_id) for decision in approvals}.values()
    return tuple(name for name, _ in found), [*found][-1][1] if found else 0


def analyst(run: Run, evidence: Evidence) -> str | None:
    """Which business analyst approved the gate of the stage that asks for W26; "" for nobody.

    None where nobody has stated it yet. Whoever fills in the statement may not decide, so that the
    decision is the analyst's voice.
    """
    if evidence.said("understood") is not True:
        return None
    stated = WorkItem.objects.filter(
        stage=OuterRef("gate__stage"), state=WorkItemState.COMPLETED, data__has_key="understood"
    )
    approvals = Decision.objects.filter(
        Exists(stated),
        gate__run=run,
        gate__stage__current=True,
        personas__contains=ANALYST,
        state=DecisionState.IN_FORCE,
        verdict__in=(Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS),
    )
    found = approvals.select_related("user", "on_behalf_of").order_by("-at").first()
    return "" if found is None else found.who


def lead_times(use_case: int) -> tuple[float, ...]:
    """Seconds from each change of features to the next evaluation in its run that was submitted.

    A change: a later round, or a later run, whose feature definition has another digest than the
    one before. Stages are known by what their steps do.
    """
    stages = (
        Stage.objects.filter(
            run__use_case=use_case,
            steps__operation__in=(*DEFINES, *JUDGES),
            activated_at__isnull=False,
        )
        .exclude(state=StageState.CANCELLED)
        .order_by("activated_at")
        .values(
            "run_id",
            "activated_at",
            "submitted_at",
            operation=F("steps__operation"),
            digest=KeyTextTransform(
                "digest", KeyTransform("features", F("steps__result__outputs"))
            ),
        )
    )
    found: list[dict[str, Any]] = [dict(stage) for stage in stages]
    lengths, before = [], None
    for stage in found:
        if stage["operation"] not in DEFINES or not stage["digest"]:
            continue
        changed, before = before not in (None, stage["digest"]), stage["digest"]
        judged = [
            one["submitted_at"]
            for one in found
            if one["operation"] in JUDGES
            and one["run_id"] == stage["run_id"]
            and one["submitted_at"]
            and one["submitted_at"] > stage["activated_at"]
        ]
        if changed and judged:
            lengths.append((min(judged) - stage["activated_at"]).total_seconds())
    return tuple(lengths)


def versions(use_case: UseCase) -> list[dict[str, Any]]:
    """Every version of the use case's model, in order: number, run, approval and metrics."""
    rows = ModelVersion.objects.filter(model__use_case=use_case).order_by("number")
    told = rows.values(
        "number", "run_id", "approved_at", "registered_at", metrics=KeyTransform("metrics", "facts")
    )
    return [dict(row) for row in told]


def releases(
    found: Sequence[Mapping[str, Any]], deployments: Sequence[Deployment], metric: str
) -> tuple[Release, ...]:
    """Versions that went live, with the metric they were judged by and the KPI reported after."""
    live = {d.version.number for d in deployments if d.mode == LIVE}
    released = [one for one in found if one["number"] in live]
    items = WorkItem.objects.filter(
        run__in=[one["run_id"] for one in released],
        state="COMPLETED",
        data__has_keys=["kpi_now", "comment"],
    ).order_by("id")
    reported = {run: data.get("kpi_now") for run, data in items.values_list("run_id", "data")}
    return tuple(
        Release(one["number"], _value(one["metrics"], metric), _number(reported.get(one["run_id"])))
        for one in released
    )


def _value(metrics: Any, metric: str) -> float | None:
    told = metrics.get(metric) if isinstance(metrics, Mapping) else None
    return _number(told.get("value") if isinstance(told, Mapping) else told)


def _number(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else None


def previous(run_id: int | None) -> dict[str, Mapping[str, Any]]:
    """The facts of the release before, by operation: of the last current result of each."""
    if run_id is None:
        return {}
    rows = Attempt.objects.filter(
        run=run_id,
        step__stage__current=True,
        step__result=F("id"),
        operation__in=COMPARED,
    )
    return dict(rows.order_by("id").values_list("operation", "facts"))


def watched(run: Run) -> dict[str, tuple[Mapping[str, Any], Source]]:
    """The latest window of each kind that a watch measured after the run began."""
    rows = (
        Attempt.objects.filter(
            run__use_case=run.use_case_id,
            run__kind="watch",
            run_id__gt=run.pk,
            state=AttemptState.SUCCEEDED,
            operation__in=WATCHED,
        )
        .order_by("operation", "-id")
        .distinct("operation")
        .annotate(label=Concat(Value("watch "), "run__number", output_field=CharField()))
    )
    return {
        row["operation"]: (
            row["facts"],
            Source("step", row["step_id"], row["label"], row["finished_at"], row["run_id"]),
        )
        for row in rows.values("operation", "facts", "step_id", "label", "finished_at", "run_id")
    }


def answered_until(deployment: Deployment | None) -> tuple[datetime | None, bool]:
    """The time of the last row that was answered live, and whether it is the row's own."""
    if deployment is None:
        return None, False
    rows = Prediction.objects.filter(deployment=deployment).order_by("-id")
    last = rows.values_list("event_time", "at").first()
    if last is None:
        return None, False
    return last[0] or last[1], last[0] is not None


def learned_until(facts: Mapping[str, Mapping[str, Any]]) -> datetime | None:
    """The time of the last row that was learned from, where rows have a time."""
    for said in facts.values():
        part = said.get("parts")
        last = part.get("train", {}).get("last") if isinstance(part, Mapping) else None
        if isinstance(last, str):
            try:
                at = datetime.fromisoformat(last)
            except ValueError:
                continue
            return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None
