"""The edges' only door to rows: fetch and check in one call. Raises NotFound for what is not
there and for what the person may not know of; the two must not be told apart.
"""

from portal.access.artefacts import artefact_for, check_inputs
from portal.access.changes import changed_lately, streams_seen, use_case_ids_of, use_case_ids_seen
from portal.access.comments import comment_for
from portal.access.connections import connection_for, connections_of
from portal.access.flow import flow_scope
from portal.access.ledger import events_for, ledger_of, stream_for
from portal.access.models import (
    alert_for,
    model_for,
    model_of,
    model_to_label_for,
    model_version_for,
)
from portal.access.moving import version_to_move, versions_beside
from portal.access.people import (
    calendar_of,
    own_tokens_of,
    people_of,
    person_for,
    person_named,
    persona_for,
    token_for,
    tokens_of,
)
from portal.access.readiness import attestation_for, attestations_of, readiness_points_of
from portal.access.reviews import (
    check_for,
    finding_for,
    findings_of,
    gate_for,
    gate_to_decide_for,
    gate_with_evidence_for,
    gates_of,
    hand_off_for,
    hand_off_with_package_for,
    hand_offs_of,
)
from portal.access.runs import (
    attempt_for,
    item_for,
    items_of,
    run_for,
    runs_of,
    stage_for,
    step_for,
)
from portal.access.use_cases import (
    blueprint_for,
    blueprints_of,
    delegation_for,
    delegations_of,
    seat_for,
    use_case_for,
    use_cases_of,
    version_for,
    version_to_run,
)
from portal.access.views import view_for

__all__ = [
    "alert_for",
    "artefact_for",
    "attempt_for",
    "attestation_for",
    "attestations_of",
    "blueprint_for",
    "blueprints_of",
    "calendar_of",
    "changed_lately",
    "check_for",
    "check_inputs",
    "comment_for",
    "connection_for",
    "connections_of",
    "delegation_for",
    "delegations_of",
    "events_for",
    "finding_for",
    "findings_of",
    "flow_scope",
    "gate_for",
    "gate_to_decide_for",
    "gate_with_evidence_for",
    "gates_of",
    "hand_off_for",
    "hand_off_with_package_for",
    "hand_offs_of",
    "item_for",
    "items_of",
    "ledger_of",
    "model_for",
    "model_of",
    "model_to_label_for",
    "model_version_for",
    "own_tokens_of",
    "people_of",
    "person_for",
    "person_named",
    "persona_for",
    "readiness_points_of",
    "run_for",
    "runs_of",
    "seat_for",
    "stage_for",
    "step_for",
    "stream_for",
    "streams_seen",
    "token_for",
    "tokens_of",
    "use_case_for",
    "use_case_ids_of",
    "use_case_ids_seen",
    "use_cases_of",
    "version_for",
    "version_to_move",
    "version_to_run",
    "versions_beside",
    "view_for",
]
