"""Who may sign which statement, and who may take one back."""

from collections.abc import Mapping, Sequence

from personas.errors import Conflict, DomainError, Gone, NotAllowed
from personas.models import User
from pipelines.lifecycles import AttestationState
from pipelines.readiness.contents import Content, subject_of
from pipelines.readiness.models import Attestation
from pipelines.readiness.testdefs import TestDef
from pipelines.usecases.models import UseCase
from pipelines.usecases.policies import personas_of


def signing_as(test: TestDef, held: Sequence[str], standing: Sequence[Attestation]) -> str:
    """Return the persona to sign as where none is named: one held, that has not signed yet."""
    may = [code for code in test.signers if code in held]
    signed = {one.persona_id for one in standing if one.test == test.id}
    return next((code for code in may if code not in signed), may[0] if may else "")


def not_attesting(
    user: User,
    test: TestDef,
    persona: str,
    *,
    held: Sequence[str],
    contents: Mapping[str, Content],
    standing: Sequence[Attestation] = (),
) -> DomainError | None:
    """Return why the person may not sign this as that persona, or None.

    Author is not approver: who made a content as another persona does not sign for it; whom the
    catalogue asks about their own work (the data engineer about the contract) may. And nobody
    signs the same for two personas.
    """
    if user.is_service:
        return NotAllowed("actor.person", "Only people sign.")
    if not test.signers:
        return NotAllowed(
            "attestation.computed", f"{test.id} is computed; nobody signs in its place."
        )
    if persona not in test.signers or persona not in held:
        seats = " or ".join(test.signers)
        return NotAllowed("attestation.persona", f"Signing {test.id} takes a seat as {seats}.")
    subject = subject_of(test, contents)
    if not subject:
        return Conflict("nothing_to_sign", f"There is no {test.needs or 'content'} to sign for.")
    for name in subject:
        content = contents[name]
        if user.pk in content.authors and content.persona != persona:
            return NotAllowed(
                "sod.subject_author",
                f"You made the {name} as {content.persona}; somebody else signs as {persona}.",
            )
    if any(one.user_id == user.pk and one.persona_id != persona for one in standing):
        return NotAllowed("sod.same_person", "Two personas are asked; you signed as one already.")
    return None


def held_by(user: User, use_case: UseCase) -> list[str]:
    """Return the personas as which the person sits on the use case."""
    return personas_of(user, use_case.pk)


def not_withdrawing(user: User, attestation: Attestation) -> DomainError | None:
    """Return why the person may not take the statement back: who signed may, and who manages."""
    if attestation.user_id != user.pk and not user.can("run.manage"):
        return NotAllowed(
            "attestation.signer", f"Only {attestation.user}, who signed, takes it back."
        )
    if attestation.state != AttestationState.STANDING:
        return Gone(
            "attestation_over",
            f"This statement is {attestation.state.lower()} already.",
            state=attestation.state,
            by=str(attestation.ended_by or "time"),
            at=attestation.ended_at,
        )
    return None
