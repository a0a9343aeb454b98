"""Findings in the inbox: conditions of approvals that the person's personas are to fulfil."""

from pipelines.lifecycles import FindingState
from pipelines.runs.models import Finding
from pipelines.runs.queries import names
from pipelines.runs.queries.inbox.rows import MOST, RUN, Hats, InboxRow, codes_of, wears


def open_findings(hats: Hats) -> list[Finding]:
    """Open findings of the person's personas, of ended runs, too: those due first come first."""
    rows = (
        Finding.objects.filter(
            state=FindingState.OPEN, run__use_case__in=list(hats), persona__in=codes_of(hats)
        )
        .select_related(*RUN, "gate__stage", "decision__user", "decision__on_behalf_of")
        .order_by("due_at", "id")[:MOST]
    )
    return [finding for finding in rows if wears(hats, finding.run, [finding.persona_id])]


def to_resolve(hats: Hats, finding: Finding) -> InboxRow:
    """Return the row of a finding."""
    giver = hats[finding.run.use_case_id].behind(finding.persona_id)
    stage = names.stage_title(finding.run, finding.gate.stage.key)
    return InboxRow(
        noun="finding",
        pk=finding.pk,
        asked=finding.text,
        run=finding.run,
        persona=finding.persona_id,
        since=finding.opened_at,
        by=finding.decision.who,
        due=finding.due_at,
        why=(f"You act for {giver}. " if giver else "")
        + f"A {finding.severity} condition on {stage}; overdue, its approval lapses.",
        button="Resolve",
        state=finding.state,
    )
