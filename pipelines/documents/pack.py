"""What the documents of a run are made from: everything on record, gathered once. Pure.

`facts` are those that checks read: "stage.step", "item.stage.item" and "run".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.documents.tree import Evidence

Facts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Output:
    """An artefact that a step made, or that the run was given."""

    name: str
    digest: str
    media: str
    size: int | None = None


@dataclass(frozen=True)
class Done:
    """A step with the attempt whose result counts."""

    place: str
    title: str
    stage: str
    operation: str
    version: int
    pk: int
    stage_pk: int
    seed: int
    outputs: tuple[Output, ...] = ()
    cached: bool = False
    contract: bool = False
    finished_at: str = ""
    package: Mapping[str, Any] = field(default_factory=dict)  # whose code; empty of Baton's own

    @property
    def code(self) -> str:
        """The operation with its version, and the package that brought it."""
        code = f"{self.operation} v{self.version}"
        if not self.package:
            return code
        whose = f"{self.package['distribution']} {self.package['version']}"
        return f"{code} of {whose} ({str(self.package['digest'])[:12]})"


@dataclass(frozen=True)
class Said:
    """A completed work item: who stated what; `fields` are (key, label, value)."""

    place: str
    title: str
    stage: str
    kind: str
    pk: int
    persona: str
    who: str
    at: str
    digest: str
    fields: tuple[tuple[str, str, Any], ...] = ()


@dataclass(frozen=True)
class Judgement:
    """A check's verdict, with the gate or hand-off it stands in."""

    name: str
    title: str
    verdict: str
    blocking: bool
    summary: str
    stage: str
    noun: str
    noun_pk: int
    pk: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    comparison: str = ""
    unit: str = ""
    source: str = ""
    advice: str = ""
    waived_by: str = ""
    waiver_reason: str = ""


@dataclass(frozen=True)
class Ruling:
    """A person's decision in a gate."""

    who: str
    personas: tuple[str, ...]
    verdict: str
    reason: str
    at: str


@dataclass(frozen=True)
class Review:
    """A gate of a current round, with what was decided; sealed ones show nobody's verdict."""

    pk: int
    stage: str
    state: str
    digest: str
    closed_at: str = ""
    overridden: bool = False
    rulings: tuple[Ruling, ...] = ()
    findings: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Passing:
    """A hand-off: who gave what to whom, under which contract."""

    pk: int
    code: str
    source: str
    source_persona: str
    target: str
    target_persona: str
    state: str
    offered_by: str = ""
    offered_at: str = ""
    answered_by: str = ""
    answered_at: str = ""
    note: str = ""
    return_reason: str = ""
    checklist: tuple[tuple[str, Any], ...] = ()
    package: tuple[tuple[str, Output], ...] = ()


@dataclass(frozen=True)
class Part:
    """A stage of the run's plan with its present round."""

    key: str
    code: str
    title: str
    summary: str
    persona: str
    state: str
    round: int
    owner: str = ""
    pk: int = 0


@dataclass(frozen=True)
class Release:
    """A version the run registered, and where it was deployed."""

    name: str
    number: int
    state: str
    package: str
    approval: int | None = None
    deployments: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Readiness:
    """The ML Test Score of the use case, and the worries: (id, title, level, text).

    `tests`: (id, title, points, on what they rest, evidence). `signed`: statements that stand:
    (test, persona, who, statement, until).
    """

    score: float = 0.0
    band: str = ""
    sections: tuple[tuple[str, float, float], ...] = ()
    worries: tuple[tuple[str, str, str, str], ...] = ()
    tests: tuple[tuple[str, str, float, str, str], ...] = ()
    signed: tuple[tuple[str, str, str, str, str], ...] = ()


@dataclass(frozen=True)
class Pack:
    """Everything the builders may look at."""

    run: int
    label: str
    state: str
    use_case: str
    use_case_key: str
    question: str
    blueprint: str
    blueprint_digest: str
    as_of: str
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[tuple[str, Output], ...] = ()
    people: tuple[tuple[str, str], ...] = ()
    facts: Facts = field(default_factory=dict)
    stages: Sequence[Part] = ()
    steps: Sequence[Done] = ()
    items: Sequence[Said] = ()
    checks: Sequence[Judgement] = ()
    reviews: Sequence[Review] = ()
    passings: Sequence[Passing] = ()
    releases: Sequence[Release] = ()
    alerts: tuple[tuple[str, str, str], ...] = ()
    watches: tuple[str, ...] = ()
    labels: int = 0
    readiness: Readiness = field(default_factory=Readiness)

    @property
    def subject(self) -> str:
        """Return what every document of the run is of."""
        return f"{self.use_case}, {self.label}"

    def run_evidence(self) -> Evidence:
        """Return where the run itself can be looked at."""
        return Evidence("run", self.label, f"/runs/{self.run}/", self.blueprint_digest)

    def use_case_evidence(self) -> Evidence:
        """Return where the use case can be looked at."""
        return Evidence("use_case", self.use_case, f"/use-cases/{self.use_case_key}/")

    def evidence_of(self, place: str) -> tuple[Evidence, ...]:
        """Return where the facts of a place can be looked up: the step or work item, by digest."""
        for step in self.steps:
            if step.place == place:
                return (step_evidence(self, step),)
        for item in self.items:
            if item.place == place:
                label = f"{item.title} ({item.who})" if item.who else item.title
                return (Evidence("item", label, f"/items/{item.pk}/", item.digest),)
        return (self.run_evidence(),) if place == "run" else ()


def step_evidence(pack: Pack, step: Done) -> Evidence:
    """Return where a step can be looked at; the digest is that of its first output."""
    digest = step.outputs[0].digest if step.outputs else ""
    label = f"{step.title}: {step.code}"
    return Evidence("step", label, f"/runs/{pack.run}/#step-{step.pk}", digest)


def artefact_evidence(name: str, output: Output) -> Evidence:
    """Return where an artefact's content can be had."""
    return Evidence("artefact", name, f"/api/v1/artefacts/{output.digest}/content", output.digest)


def check_evidence(check: Judgement) -> Evidence:
    """Return where a check can be looked at: in its gate or hand-off."""
    noun = "gates" if check.noun == "gate" else "hand-offs"
    return Evidence("check", check.title, f"/{noun}/{check.noun_pk}/#check-{check.pk}")


def gate_evidence(review: Review) -> Evidence:
    """Return where a gate can be looked at, with the digest that was signed."""
    return Evidence("gate", f"Review of {review.stage}", f"/gates/{review.pk}/", review.digest)
