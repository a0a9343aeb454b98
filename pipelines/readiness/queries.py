"""The readiness of a use case, computed from the evidence of the run that made what is deployed.

At most thirteen queries besides the use case, which the edges fetch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery

from pipelines.lifecycles import DecisionState, GateState, StageState, Verdict, WorkItemState
from pipelines.readiness.evidence import Evidence, Judged
from pipelines.readiness.scoring import Score, Section, TestResult, score
from pipelines.readiness.worries import WorryResult, worries
from pipelines.registry.models import CANARY, LIVE, SHADOW, Deployment
from pipelines.runs.models import Check, Decision, Run, Stage, WorkItem
from pipelines.runs.rows import Rows, load
from pipelines.serving.models import Label
from pipelines.usecases.models import UseCase

DEFINES, JUDGES = "build_features", "evaluate_model"
ANALYST = "BA"  # who answers for the use of what the researcher stands by (W26)


@dataclass(frozen=True)
class Readiness:
    """The ML Test Score of a use case, with the worries."""

    use_case: UseCase
    run: Run | None
    result: Score
    worries: tuple[WorryResult, ...]

    @property
    def score(self) -> float:
        """The minimum over the sections, 0 to 7."""
        return self.result.score

    @property
    def sections(self) -> tuple[Section, ...]:
        """The four sections with their points."""
        return self.result.sections

    @property
    def tests(self) -> tuple[TestResult, ...]:
        """The 28 tests."""
        return self.result.tests


def readiness(use_case: UseCase) -> Readiness:
    """Return how ready the use case is."""
    deployments = list(_deployments(use_case))
    run = _run(use_case, deployments)
    evidence = _evidence(run, deployments)
    return Readiness(use_case, run, score(evidence), worries(evidence, _analyst(run, evidence)))


def _deployments(use_case: UseCase) -> QuerySet[Deployment]:
    """Every deployment with its model, version and run, newest first, and the labels told."""
    labels = Label.objects.filter(model=OuterRef("model")).order_by().values("model")
    rows = Deployment.objects.filter(model__use_case=use_case)
    rows = rows.select_related("model", "version__model", "run__version__blueprint")
    told = Subquery(labels.annotate(count=Count("id")).values("count"))
    return rows.defer("run__version__body").annotate(told=told).order_by("-id")


def _run(use_case: UseCase, deployments: list[Deployment]) -> Run | None:
    """The run whose evidence counts: of what is deployed, else the last that began."""
    now = {d.mode: d.run for d in deployments if d.ended_at is None and d.run is not None}
    found = next((now[mode] for mode in (LIVE, CANARY, SHADOW) if mode in now), None)
    if found is not None:
        return found
    rows = use_case.runs.filter(kind="main").select_related("version__blueprint")
    return rows.defer("version__body").exclude(state="PENDING").order_by("-number").first()


def _evidence(run: Run | None, deployments: list[Deployment]) -> Evidence:
    if run is None:
        return Evidence()
    rows = load(run)
    version = run.version
    live = next((d for d in deployments if d.ended_at is None and d.mode == LIVE), None)
    back = next((d for d in deployments if d.ended_reason.startswith("rolled back")), None)
    reviewers, review = _review(run)
    return Evidence(
        facts=rows.facts(),
        checks=_checks(rows),
        run=run.pk,
        blueprint=f"{rows.blueprint.key} v{version.number}, {version.digest[:12]}",
        reviewers=reviewers,
        review=review,
        feature_change=_feature_change(run),
        live=f"version {live.version.number}" if live else "",
        releases=len({d.version_id for d in deployments if d.mode == LIVE}),
        rolled_back=f"{back.version}, {back.ended_at:%Y-%m-%d %H:%M}"
        if back and back.ended_at
        else "",
        labels=(deployments[0].told or 0) if deployments else 0,  # type: ignore[attr-defined]
        model=deployments[0].model.name if deployments else "",
    )


def _checks(rows: Rows) -> Mapping[str, Judged]:
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
        )
    return judged


def _review(run: Run) -> tuple[tuple[str, ...], int]:
    """Who approved the gate in which the model's quality was judged; nobody is its author."""
    approvals = (
        Decision.objects.filter(
            gate__run=run,
            gate__stage__current=True,
            gate__checks__name="target_met",
            gate__state=GateState.APPROVED,
            state=DecisionState.IN_FORCE,
            verdict__in=(Verdict.APPROVE, Verdict.APPROVE_WITH_CONDITIONS),
        )
        .select_related("user", "on_behalf_of")
        .order_by("at")
    )
    found = [(decision.who, decision.gate_id) for decision in approvals]
    return tuple(name for name, _ in found), found[-1][1] if found else 0


def _analyst(run: Run | None, evidence: Evidence) -> str | None:
    """Which business analyst approved the gate of the stage that asks for W26; "" for nobody.

    None where nobody has stated it yet. Whoever fills in the statement may not decide, so that the
    decision is the analyst's voice.
    """
    if run is None or evidence.said("understood") is not True:
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


def _feature_change(run: Run) -> float | None:
    """Seconds from the last reopening of the features to the next evaluation that was submitted.

    The stages are known by what their steps do: one defines features, one evaluates the model.
    """
    stages = list(
        Stage.objects.filter(
            run=run, steps__operation__in=(DEFINES, JUDGES), activated_at__isnull=False
        )
        .exclude(state=StageState.CANCELLED)
        .annotate(operation=F("steps__operation"))
        .order_by("activated_at")
    )
    changed = [s.activated_at for s in stages if s.operation == DEFINES and s.round > 1]
    if not changed:
        return None
    last = max(at for at in changed if at is not None)
    judged = [s.submitted_at for s in stages if s.operation == JUDGES and s.submitted_at]
    after = [at for at in judged if at > last]
    return (min(after) - last).total_seconds() if after else None
