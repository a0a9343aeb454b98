"""Who may act on people, tokens and the ledger."""

from personas.errors import NotAllowed
from personas.models import User


def require(user: User, capability: str) -> None:
    """Raise NotAllowed unless the person holds the capability."""
    if not user.can(capability):
        raise NotAllowed(
            f"capability.{capability}",
            f"This needs the capability {capability!r}, which {user} does not hold.",
        )


def may_manage_users(user: User) -> bool:
    """Whether the person may create people, seats and tokens of others."""
    return user.can("users.manage")
