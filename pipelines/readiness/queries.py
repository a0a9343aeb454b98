"""The readiness of a use case, computed from the evidence of the run that made what is deployed.

At most 23 queries besides the use case, which the edges fetch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery

from pipelines.lifecycles import AttestationState
from pipelines.readiness import gather
from pipelines.readiness.advice import Advice, advice, after
from pipelines.readiness.contents import (
    Content,
    contents_of,
    outdated,
    pending,
    subject_digest,
    subject_of,
)
from pipelines.readiness.evidence import Attested, Evidence, Living
from pipelines.readiness.models import Attestation
from pipelines.readiness.scoring import Score, Section, TestResult, score
from pipelines.readiness.testdefs import TESTS, days_of
from pipelines.readiness.worries import WorryResult, worries
from pipelines.registry.models import CANARY, LIVE, SHADOW, Deployment
from pipelines.runs.models import Run
from pipelines.runs.queries.clock import now as read_clock
from pipelines.runs.rows import Rows, load
from pipelines.serving.models import Label
from pipelines.usecases.models import UseCase

LOWEST_TIER = 2  # where the brief's value was not computed: the middle one


@dataclass(frozen=True)
class Subject:
    """What a statement on a test is bound to now, and for how many days it may hold at most."""

    test: str
    digests: Mapping[str, str]
    days: int

    @property
    def seen(self) -> str:
        """The one digest that stands for these."""
        return subject_digest(self.digests)


@dataclass(frozen=True)
class Readiness:
    """The ML Test Score of a use case, with the worries.

    `contents`: what statements can be signed for now; `standing`: those that are in force, whether
    they count or not; `tier`: 1 to 3, of the brief.
    """

    use_case: UseCase
    run: Run | None
    result: Score
    worries: tuple[WorryResult, ...]
    now: datetime
    contents: Mapping[str, Content] = field(default_factory=dict)
    standing: tuple[Attestation, ...] = ()
    tier: int = LOWEST_TIER
    version: int | None = None

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

    @property
    def advice(self) -> tuple[Advice, ...]:
        """The next best test to automate, one for each of the weakest sections."""
        return advice(self.result)

    @property
    def next_test(self) -> str | None:
        """The first of them, by id; None where every test of the weakest section is earned."""
        return next((one.result.test.id for one in self.advice), None)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What can be signed for now, test by test."""
        found = ((test, subject_of(test, self.contents)) for test in TESTS if test.signers)
        return tuple(
            Subject(test.id, digests, days_of(test, self.tier))
            for test, digests in found
            if digests
        )

    @property
    def score_after(self) -> float:
        """The score once all of the advice is followed."""
        return after(self.result, self.advice)


def readiness(use_case: UseCase) -> Readiness:
    """Return how ready the use case is."""
    deployments = list(_deployments(use_case))
    run = _run(use_case, deployments)
    now = read_clock()
    standing = standing_of(use_case)
    if run is None:
        evidence = Evidence()
        return Readiness(use_case, None, score(evidence), worries(evidence), now, {}, standing)
    rows = load(run)
    contents = contents_of(rows)
    versions = gather.versions(use_case)
    own = [one["number"] for one in versions if one["run_id"] == run.pk]
    evidence = replace(
        _evidence(rows, deployments, versions, now), attested=counting(standing, contents, now)
    )
    return Readiness(
        use_case,
        run,
        score(evidence),
        worries(evidence, gather.analyst(run, evidence)),
        now,
        contents,
        standing,
        _tier(evidence.facts),
        own[-1] if own else None,
    )


def _evidence(
    rows: Rows,
    deployments: Sequence[Deployment],
    versions: Sequence[Mapping[str, Any]],
    now: datetime,
) -> Evidence:
    """Everything but the statements."""
    run, facts = rows.run, rows.facts()
    before = _before(versions, run)
    metric = str(next((f.get("metric", "") for f in facts.values() if "kpi_target" in f), ""))
    reviewers, review = gather.review(run)
    return Evidence(
        facts=facts,
        checks=gather.checks(rows),
        run=run.pk,
        blueprint=f"{rows.blueprint.key} v{run.version.number}, {run.version.digest[:12]}",
        reviewers=reviewers,
        review=review,
        lead_times=gather.lead_times(run.use_case_id),
        releases=gather.releases(versions, deployments, metric),
        live=_living(deployments, facts, now),
        labels=(deployments[0].told or 0) if deployments else 0,  # type: ignore[attr-defined]
        model=deployments[0].model.name if deployments else "",
        steps=gather.steps(rows),
        computed=gather.computed(run.use_case_id),
        previous=gather.previous(before["run_id"] if before else None),
        previous_name=f"version {before['number']}" if before else "",
        watched=gather.watched(run),
    )


def evidence_run(use_case: UseCase) -> Run | None:
    """Return the run whose evidence counts: of what is deployed, else the last that began."""
    return _run(use_case, list(_deployments(use_case)))


def _tier(facts: Mapping[str, Mapping[str, object]]) -> int:
    found = next((said.get("tier") for said in facts.values() if "tier" in said), None)
    return found if isinstance(found, int) and found in (1, 2, 3) else LOWEST_TIER


def _before(versions: Sequence[Mapping[str, Any]], run: Run) -> Mapping[str, Any] | None:
    """The last approved version before the run's own; of a run without one, the last of all."""
    own = [one["number"] for one in versions if one["run_id"] == run.pk]
    earlier = [one for one in versions if one["approved_at"] and one["run_id"] != run.pk]
    if own:
        earlier = [one for one in earlier if one["number"] < own[-1]]
    return earlier[-1] if earlier else None


def _deployments(use_case: UseCase) -> QuerySet[Deployment]:
    """Every deployment with its model, version and run, newest first, and the labels told."""
    labels = Label.objects.filter(model=OuterRef("model")).order_by().values("model")
    rows = Deployment.objects.filter(model__use_case=use_case)
    rows = rows.select_related("model", "version__model", "run__version__blueprint")
    told = Subquery(labels.annotate(count=Count("id")).values("count"))
    return rows.defer("run__version__body").annotate(told=told).order_by("-id")


def _run(use_case: UseCase, deployments: Sequence[Deployment]) -> Run | None:
    """The run whose evidence counts: of what is deployed, else the last that began."""
    now = {d.mode: d.run for d in deployments if d.ended_at is None and d.run is not None}
    found = next((now[mode] for mode in (LIVE, CANARY, SHADOW) if mode in now), None)
    if found is not None:
        return found
    rows = use_case.runs.filter(kind="main").select_related("version__blueprint")
    return rows.defer("version__body").exclude(state="PENDING").order_by("-number").first()


def _living(
    deployments: Sequence[Deployment], facts: Mapping[str, Mapping[str, object]], now: datetime
) -> Living:
    """What answers now, how old it is, and how often something was rolled back."""
    live = next((d for d in deployments if d.ended_at is None and d.mode == LIVE), None)
    back = [d for d in deployments if d.ended_reason.startswith("rolled back") and d.ended_at]
    rollbacks = tuple(f"{d.version}, {d.ended_at:%Y-%m-%d %H:%M}" for d in back)
    if live is None:
        return Living(rollbacks=rollbacks)
    answered, own_time = gather.answered_until(live)
    learned = gather.learned_until(facts)
    in_data_time = learned is not None and own_time
    return Living(
        version=f"version {live.version.number}",
        learned_until=learned if in_data_time else live.version.registered_at,
        answered_until=answered if in_data_time else now,
        in_data_time=in_data_time,
        rollbacks=rollbacks,
    )


def standing_of(use_case: UseCase) -> tuple[Attestation, ...]:
    """Return the statements that nobody and nothing has ended yet, with who signed."""
    rows = Attestation.objects.filter(use_case=use_case, state=AttestationState.STANDING)
    return tuple(rows.select_related("user").order_by("id"))


def counting(
    standing: Sequence[Attestation], contents: Mapping[str, Content], now: datetime
) -> dict[str, tuple[Attested, ...]]:
    """Return the statements that count at this moment, by test: not over, and of what is there."""
    found: dict[str, tuple[Attested, ...]] = {}
    for one in standing:
        if not why_not(one, contents, now):
            told = Attested(
                one.pk, one.persona_id, str(one.user), one.statement, one.signed_at, one.expires_at
            )
            found[one.test] = (*found.get(one.test, ()), told)
    return found


def why_not(one: Attestation, contents: Mapping[str, Content], now: datetime) -> str:
    """Return why a statement that stands does not count at this moment; "" where it counts."""
    if one.expires_at <= now:
        return "Its time is over."
    moved_on = outdated(one.digests, contents)
    if moved_on:
        return f"There is another {', '.join(moved_on)} now."
    anew = pending(one.digests, contents)
    return (
        f"Being made anew: {', '.join(anew)}. If it comes out the same, it counts." if anew else ""
    )
