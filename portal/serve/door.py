"""Who asks: bearer tokens with the scope `predict`, remembered for a few seconds."""

import time
from dataclasses import dataclass, field

from personas.actions import note_token_use
from personas.errors import NotAllowed
from personas.models import Token
from personas.queries import token_for
from pipelines.registry import policies
from pipelines.registry.models import Model
from portal.serve.problems import HttpError

SCOPE = "predict"
REMEMBER = 5.0  # seconds that a revoked token may go on being honoured here
MOST = 10_000  # tokens remembered
CHALLENGE = 'Bearer realm="baton"'


@dataclass
class Door:
    """Checks tokens. Secrets are kept as digests only."""

    _known: dict[tuple[str, int], tuple[float, int]] = field(default_factory=dict)

    def remembered(self, secret: str, model: Model) -> int | None:
        """The person of a token that was let in to this model a moment ago."""
        found = self._known.get((Token.hash(secret), model.pk))
        return found[1] if found and found[0] > time.monotonic() else None

    def holder(self, secret: str) -> Token:
        """The token of this secret; asks the database. Raises HttpError 401 for an unknown one."""
        token = token_for(secret)
        if token is None:
            raise HttpError(
                401, "not_signed_in", "This token is unknown, expired or revoked.",
                WWW_Authenticate=CHALLENGE,
            )  # fmt: skip
        return token

    def let_in(self, secret: str, model: Model) -> int:
        """The person of this token, who may ask this model; asks the database.

        Raises HttpError 401 for an unknown token, NotAllowed for a missing scope or seat.
        """
        token = self.holder(secret)
        if SCOPE not in token.scopes:
            raise NotAllowed(
                f"scope.{SCOPE}",
                f"This needs a token with the scope {SCOPE!r}; {token} has"
                f" {', '.join(token.scopes) or 'none'}.",
            )
        refusal = policies.not_predicting(token.user, model)
        if refusal is not None:
            raise refusal
        note_token_use(token)
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[(token.digest, model.pk)] = (time.monotonic() + REMEMBER, token.user_id)
        return token.user_id


def secret_of(header: bytes) -> str:
    """The secret in an Authorization header. Raises HttpError 401."""
    words = header.split()
    if len(words) != 2 or words[0].lower() != b"bearer":
        raise HttpError(
            401, "not_signed_in", "The header must read: Authorization: Bearer <token>.",
            WWW_Authenticate=CHALLENGE,
        )  # fmt: skip
    return words[1].decode("latin-1")
