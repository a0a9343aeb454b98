"""A finding as people look at it: where it belongs, who may close it, and what forbids it."""

from dataclasses import dataclass

from personas.errors import Conflict, DomainError
from personas.models import User
from pipelines.artefacts.models import Artefact
from pipelines.blueprints.spec import StageDef
from pipelines.lifecycles import FindingState
from pipelines.runs.models import Finding
from pipelines.runs.policies import Hat, not_extending, not_resolving
from pipelines.runs.queries import names


@dataclass(frozen=True)
class FindingView:
    """Everything the page of a finding shows; a refusal is None where the act is open."""

    finding: Finding
    stage: StageDef
    artefacts: tuple[tuple[str, str], ...]
    resolving: DomainError | None
    extending: DomainError | None

    @property
    def open(self) -> bool:
        """Whether it is still to be resolved."""
        return self.finding.state == FindingState.OPEN


def finding_view(user: User, finding: Finding) -> FindingView:
    """Return the page of a finding whose gate, run and people have been fetched; three queries."""
    finding.gate.run = finding.run
    hat = Hat.of(user, finding.run)
    closed = None
    if finding.state != FindingState.OPEN:
        closed = Conflict("finding_closed", f"It is {finding.state.lower()}.", state=finding.state)
    known = dict(
        Artefact.objects.filter(digest__in=finding.artefacts).values_list("digest", "media")
    )
    return FindingView(
        finding=finding,
        stage=names.definition_of(finding.run, finding.gate.stage.key),
        artefacts=tuple((digest, known.get(digest, "")) for digest in finding.artefacts),
        resolving=closed or not_resolving(hat, finding),
        extending=closed or not_extending(hat, finding),
    )
