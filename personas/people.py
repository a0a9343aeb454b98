"""The seven personas and the capabilities, as data.

Expertise ranges are on two axes, 0 (novice) to 100 (expert): machine learning and deployment.
They are defaults that each installation may edit; sources are named in docs/personas.md.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Range:
    """An expertise range; `point` is where most people of the persona stand."""

    low: int
    high: int
    point: int


@dataclass(frozen=True)
class PersonaDefinition:
    """One kind of people, with the place it has on the relay track (top = 0)."""

    code: str
    title: str
    lane: int
    ml: Range
    deployment: Range
    cares_for: str


PERSONAS: Final = (
    PersonaDefinition(
        "BA",
        "Business analyst",
        0,
        Range(0, 28, 9),
        Range(0, 0, 0),
        "what it is worth, when it is ready, why it decided that",
    ),
    PersonaDefinition(
        "DE",
        "Data engineer",
        1,
        Range(33, 100, 55),
        Range(0, 28, 9),
        "schema, freshness, rights, what quality is needed",
    ),
    PersonaDefinition(
        "DS",
        "Data scientist",
        2,
        Range(33, 100, 55),
        Range(0, 49, 16),
        "leakage, bias, whether the offline metric is the business metric",
    ),
    PersonaDefinition(
        "MLR",
        "ML researcher",
        3,
        Range(65, 100, 83),
        Range(0, 49, 16),
        "search space, reproducibility, whether it survives production",
    ),
    PersonaDefinition(
        "MLE",
        "ML engineer",
        4,
        Range(65, 100, 83),
        Range(0, 75, 25),
        "skew, staleness, hidden dependencies, being on call",
    ),
    PersonaDefinition(
        "SWE",
        "Software engineer",
        5,
        Range(0, 100, 33),
        Range(59, 100, 73),
        "unstable interfaces, wrong answers, untested code",
    ),
    PersonaDefinition(
        "OPS",
        "DevOps",
        6,
        Range(0, 55, 19),
        Range(76, 100, 88),
        "what healthy means, who to call, how to roll back",
    ),
)

CODES: Final = tuple(persona.code for persona in PERSONAS)
BY_CODE: Final = {persona.code: persona for persona in PERSONAS}

CAPABILITIES: Final = {
    "read_all": "see every use case, run and ledger",
    "run.manage": "pause, cancel, assign, skip and give up runs",
    "gate.override": "close a gate against its rules, in red, with a reason",
    "gate.waive": "waive a red check, with a reason and an expiry",
    "blueprint.publish": "publish blueprint versions",
    "users.manage": "manage people, seats and tokens",
    "operations.manage": "retry, cancel and requeue attempts; roll back deployments",
}
