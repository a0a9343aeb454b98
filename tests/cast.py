"""Nine named people for every test: one per persona, one with two, one with none.

Seven of them hold a seat on what the factories make; noor and iris are strangers to it.
"""

from dataclasses import dataclass

from personas.actions import create_user, sync_personas
from personas.calendars import WEEKDAYS
from personas.ledger import ENGINE, Actor
from personas.models import BusinessCalendar, User
from tests.beginnings import Beginning

PASSWORD = "a horse passes the baton"
MANAGER = (
    "run.manage",
    "users.manage",
    "operations.manage",
    "blueprint.publish",
    "gate.waive",
)
PEOPLE: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "amara": ("Amara Osei", ("BA",), ()),
    "dmitri": ("Dmitri Volkov", ("DE",), ()),
    "sofia": ("Sofia Reyes", ("DS",), ()),
    "kenji": ("Kenji Tanaka", ("MLR",), ()),
    "lena": ("Lena Fischer", ("MLE",), ()),
    "tomas": ("Tomas Silva", ("SWE",), ()),
    "priya": ("Priya Nair", ("OPS",), MANAGER),
    "noor": ("Noor Haddad", ("BA", "DS"), ()),
    "iris": ("Iris Berg", (), ()),
}
AROUND_THE_CLOCK = {day: ["00:00-24:00"] for day in WEEKDAYS}
_BEGINNING = Beginning(shared=("personas_persona", "personas_businesscalendar"))
SEATED = ("amara", "dmitri", "sofia", "kenji", "lena", "tomas", "priya")


@dataclass(frozen=True)
class Cast:
    """The nine people by first name: BA, DE, DS, MLR, MLE, SWE, OPS, two personas, none."""

    amara: User
    dmitri: User
    sofia: User
    kenji: User
    lena: User
    tomas: User
    priya: User
    noor: User
    iris: User

    @classmethod
    def make(cls) -> "Cast":
        """Create the nine through the action that creates people; all work around the clock.

        So tests of deadlines hold on any day; those of calendars set their own.
        """
        _BEGINNING.begin(_people)
        found = {user.username: user for user in User.objects.filter(username__in=PEOPLE)}
        return cls(**found)

    def personas(self) -> tuple[tuple[int, str], ...]:
        """Who of the nine holds which persona now: a test may have given or taken some."""
        held = User.personas.through.objects.filter(user__in=vars(self).values())
        held = held.order_by("user_id", "persona_id")
        return tuple(held.values_list("user_id", "persona_id"))

    def of(self, persona: str) -> User:
        """Return the seated person of a persona."""
        login = next(name for name in SEATED if PEOPLE[name][1] == (persona,))
        user: User = getattr(self, login)
        return user


def _people() -> int:
    sync_personas()
    BusinessCalendar.objects.update(hours=AROUND_THE_CLOCK)
    made = {login: person(login, *rest) for login, rest in PEOPLE.items()}
    return made["amara"].pk


def person(
    login: str,
    name: str,
    personas: tuple[str, ...] = (),
    capabilities: tuple[str, ...] = (),
) -> User:
    """Create a person who can sign in with PASSWORD."""
    answer = create_user(
        actor=ENGINE,
        username=login,
        name=name,
        password=PASSWORD,
        personas=personas,
        capabilities=capabilities,
    )
    return User.objects.get(pk=answer.data["user"])


def acting(user: User) -> Actor:
    """Return the person as the actor of a command."""
    return Actor.person(user)
