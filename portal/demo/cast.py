"""The seven people of the demo. Their logins exist only in a demo database."""

from dataclasses import dataclass
from typing import Final

PASSWORD: Final = "pass the baton"


@dataclass(frozen=True)
class Player:
    """One person of the demo, with the persona they act as."""

    login: str
    name: str
    persona: str
    capabilities: tuple[str, ...] = ()
    console: bool = False


PLAYERS: Final = (
    Player("amara", "Amara Osei", "BA"),
    Player("dmitri", "Dmitri Volkov", "DE"),
    Player("sofia", "Sofia Reyes", "DS"),
    Player("kenji", "Kenji Tanaka", "MLR"),
    Player("lena", "Lena Fischer", "MLE"),
    Player("tomas", "Tomás Silva", "SWE"),
    Player(
        "priya",
        "Priya Nair",
        "OPS",
        console=True,
        capabilities=(
            "run.manage",
            "users.manage",
            "operations.manage",
            "blueprint.publish",
            "gate.waive",
        ),
    ),
)
BY_PERSONA: Final = {player.persona: player for player in PLAYERS}
