"""The simulated people: who they are, when they work, and what they are busy with. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from personas.calendars import OFFICE, SERVICE, Calendar, week_of
from pipelines.simulation.draws import Draw, Draws
from pipelines.simulation.parameters import Absences

PASSWORD: Final = "pass the baton"
MANAGER: Final = (
    *("run.manage", "users.manage", "operations.manage", "blueprint.publish"),
    *("gate.waive", "read_all"),
)
ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Player:
    """One simulated person, as the sign-in page lists them."""

    login: str
    name: str
    persona: str
    zone: str = "UTC"
    capabilities: tuple[str, ...] = ()


# Two of each persona: in every use case one leads, and the other is the deputy or a second pair of
# eyes. All in zones around UTC, in which the personas' business calendars count.
PLAYERS: Final = (
    Player("amara", "Amara Osei", "BA", "UTC"),
    Player("bruno", "Bruno Keller", "BA", "Europe/Berlin"),
    Player("dmitri", "Dmitri Volkov", "DE", "Europe/Berlin"),
    Player("elif", "Elif Aydin", "DE", "Europe/Istanbul"),
    Player("sofia", "Sofia Reyes", "DS", "Europe/Lisbon"),
    Player("marek", "Marek Nowak", "DS", "Europe/Warsaw"),
    Player("kenji", "Kenji Tanaka", "MLR", "Europe/London"),
    Player("ines", "Inês Duarte", "MLR", "Europe/Lisbon"),
    Player("lena", "Lena Fischer", "MLE", "Europe/Berlin"),
    Player("oscar", "Oscar Lindqvist", "MLE", "Europe/Stockholm"),
    Player("tomas", "Tomás Silva", "SWE", "Europe/Lisbon"),
    Player("hana", "Hana Novak", "SWE", "Europe/Prague"),
    Player("priya", "Priya Nair", "OPS", "UTC", MANAGER),
    Player("yusuf", "Yusuf Demir", "OPS", "Europe/Istanbul", MANAGER),
)


@dataclass(frozen=True)
class Absence:
    """Days, both included, on which a person does not work; and who acts for them then."""

    first: date
    last: date
    deputy: str = ""

    @property
    def since(self) -> datetime:
        """When it begins (UTC)."""
        return datetime.combine(self.first, time(), tzinfo=UTC)

    @property
    def until(self) -> datetime:
        """When it is over (UTC)."""
        return datetime.combine(self.last + ONE_DAY, time(), tzinfo=UTC)


@dataclass
class Person:
    """One person: a calendar, absences, and one thing at a time, in the order of arrival."""

    player: Player
    absences: tuple[Absence, ...]
    free_at: datetime
    calendar: Calendar = field(init=False)

    def __post_init__(self) -> None:
        away = {
            one.first + timedelta(days=day)
            for one in self.absences
            for day in range((one.last - one.first).days + 1)
        }
        hours = SERVICE if self.player.persona == "OPS" else OFFICE
        self.calendar = Calendar(self.player.zone, week_of(hours), frozenset(away))

    @property
    def login(self) -> str:
        """The person's name at sign-in."""
        return self.player.login

    def away_at(self, at: datetime) -> Absence | None:
        """Return the absence that covers a moment."""
        return next((one for one in self.absences if one.since <= at < one.until), None)

    def plan(self, since: datetime, notice: timedelta, touch: timedelta) -> "Booking":
        """Return when the person would turn to what waits since then, and be done with it."""
        noticed = self.calendar.add(since, notice)
        begin = next(self.calendar.openings(max(noticed, self.free_at)))[0]
        return Booking(self.login, begin, self.calendar.add(begin, touch), touch)

    def take(self, booking: "Booking") -> None:
        """Be busy with it."""
        self.free_at = booking.ends


@dataclass(frozen=True)
class Booking:
    """Who does something, from when until when, and the working time in it."""

    login: str
    begins: datetime
    ends: datetime
    touch: timedelta


def assemble(draws: Draws, absences: Absences, *, begins: datetime, days: int) -> list[Person]:
    """Return the people with their absences drawn; deputies are their persona's other person."""
    return [
        Person(player, tuple(_absences(draws, absences, player, begins, days)), begins)
        for player in PLAYERS
    ]


def _absences(
    draws: Draws, given: Absences, player: Player, begins: datetime, days: int
) -> Iterable[Absence]:
    draw = draws.about("absences", player.login)
    day = begins.date() + timedelta(days=_gap(draw, given))
    while day < begins.date() + timedelta(days=days):
        last = day + timedelta(days=draw.whole(given.days) - 1)
        deputy = peer(player) if draw.chance(given.deputy) else ""
        yield Absence(day, last, deputy)
        day = last + timedelta(days=_gap(draw, given))


def _gap(draw: Draw, given: Absences) -> int:
    """Days until the next absence: memoryless, at least two."""
    return 2 + round(draw.random.expovariate(1.0) * given.every.days)


def peer(player: Player) -> str:
    """Return the login of the persona's other person."""
    return next(
        one.login for one in PLAYERS if one.persona == player.persona and one.login != player.login
    )
