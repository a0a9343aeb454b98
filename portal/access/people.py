"""People and tokens."""

from django.db.models import (
    QuerySet,
)

from personas import policies
from personas.errors import Invalid, NotFound
from personas.models import BusinessCalendar, Persona, Token, User
from portal.access.rows import one


def token_for(user: User, pk: int) -> Token:
    """Return the person's own token, or anybody's for who manages people. Raises NotFound."""
    rows = Token.objects.select_related("user")
    return one(rows if user.can("users.manage") else rows.filter(user=user), pk, "token")


def people_of(user: User) -> QuerySet[User]:
    """Return the people one may give seats to, with their personas: everybody who may sign in."""
    rows = User.objects.prefetch_related("personas")
    return rows if policies.may_manage_users(user) else rows.filter(is_active=True)


def calendar_of(persona: str) -> BusinessCalendar:
    """Return when a persona works; no secret of anybody. Raises NotFound."""
    found = BusinessCalendar.objects.filter(persona=persona.upper()).first()
    if found is None:
        raise NotFound("calendar", f"There is no calendar of a persona {persona!r}.")
    return found


def person_for(user: User, pk: int) -> User:
    """Return a person to manage. Raises NotFound, as it does for who manages nobody."""
    rows = User.objects.all()
    return one(rows if policies.may_manage_users(user) else rows.none(), pk, "person")


def person_named(username: str, *, field: str) -> User:
    """Return the person of this login name. Raises Invalid naming the input field."""
    found = User.objects.filter(username__iexact=username).first()
    if found is None:
        raise Invalid("Nobody has this name.", fields={field: [f"unknown person {username!r}"]})
    return found


def tokens_of(user: User) -> QuerySet[Token]:
    """Return the person's own tokens, or everybody's for who manages people."""
    rows = Token.objects.select_related("user")
    return rows if policies.may_manage_users(user) else rows.filter(user=user)


def own_tokens_of(user: User) -> QuerySet[Token]:
    """Return the person's own tokens, newest first."""
    return Token.objects.filter(user=user).order_by("-id")


def persona_for(code: str) -> Persona:
    """Return a persona: what people of its kind know is for everybody. Raises NotFound."""
    found = Persona.objects.filter(code=code.upper()).first()
    if found is None:
        raise NotFound("persona", f"There is no persona {code[:20]!r}.")
    return found
