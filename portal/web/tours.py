"""The first pages of each persona: four or five steps, shown on the inbox until put away."""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from personas.models import User
from personas.people import BY_CODE


@dataclass(frozen=True)
class TourStep:
    """A page to look at, by its name in the addresses, and what one does there."""

    page: str
    title: str | Promise
    text: str | Promise


@dataclass(frozen=True)
class Tour:
    """The tour of one kind of reader."""

    persona: str
    steps: tuple[TourStep, ...]


_INBOX: Final = TourStep(
    "web:inbox",
    _("Your inbox"),
    _("What waits for you stands first, with what its button does. Nothing here? Nobody waits."),
)
_HELP: Final = TourStep(
    "web:help",
    _("When a word is strange"),
    _("Underlined words explain themselves; press ? for keys and / to search. This card comes "
      "back from the help page."),
)  # fmt: skip
_CASES: Final = TourStep(
    "web:use_cases",
    _("Use cases"),
    _("Every question you have a seat on, where it stands and who holds it now."),
)
_MODELS: Final = TourStep(
    "web:models",
    _("Models"),
    _("What answers now, since when and approved by whom; its alerts and how to go back."),
)
_STEPS: Final[dict[str, tuple[TourStep, ...]]] = {
    "BA": (
        TourStep(
            "web:new_use_case",
            _("Ask a question"),
            _("Bring a table; Baton says what it finds in it and suggests a plan. You fill in what "
              "an answer is worth."),
        ),
        _INBOX,
        TourStep(
            "web:use_cases",
            _("Follow it"),
            _("The track shows who works and who waits, and when it may be ready."),
        ),
        TourStep(
            "web:models",
            _("See whether it pays"),
            _("Once it is live: what it answers, the KPI, and the alerts that ask you something."),
        ),
        _HELP,
    ),
    "DE": (
        _INBOX,
        TourStep(
            "web:use_cases",
            _("Where the rows come from"),
            _("On a run: the source, its data contract, and the lineage of everything made of it."),
        ),
        TourStep(
            "web:ledger",
            _("Who changed what"),
            _("Every change with its time; filter by person, export what you see."),
        ),
        _HELP,
    ),
    "DS": (
        _INBOX,
        TourStep(
            "web:use_cases",
            _("Read before you decide"),
            _("A review shows checks with intervals, slices and worries first, the form after."),
        ),
        TourStep(
            "web:models",
            _("Watch it"),
            _("Drift and quality of what answers; an alert can open a new run."),
        ),
        _HELP,
    ),
    "MLR": (
        _INBOX,
        TourStep(
            "web:use_cases",
            _("Features, tuning, evaluation"),
            _("Your stages compute by themselves; a run shows steps, attempts, logs and results."),
        ),
        TourStep(
            "web:models",
            _("What became of it"),
            _("Which of your versions answers, and how it does against the one before."),
        ),
        _HELP,
    ),
    "MLE": (
        _INBOX,
        _CASES,
        TourStep(
            "web:models",
            _("Versions and deployments"),
            _("Shadow, canary, live: what was approved by whom, what answers, how to roll back."),
        ),
        TourStep(
            "web:ledger",
            _("What was live on a day"),
            _("The history of every alias, chained, so that nobody rewrites it."),
        ),
        _HELP,
    ),
    "SWE": (
        _INBOX,
        TourStep(
            "web:use_cases",
            _("What arrives"),
            _("A hand-off comes with its contract: tests that passed before it was offered."),
        ),
        TourStep(
            "web:models",
            _("Ask a model"),
            _("Its schema, a form to try it, and the address that programs call."),
        ),
        _HELP,
    ),
    "OPS": (
        _INBOX,
        TourStep(
            "web:models",
            _("What answers now"),
            _("Deployments, shares of the callers, alerts, and one button to go back."),
        ),
        TourStep(
            "web:ledger",
            _("Prove it"),
            _("Verify the chain of any stream; export it for an audit."),
        ),
        TourStep(
            "web:away",
            _("Before you go away"),
            _("Say who acts for you: deadlines of your work do not wait for your return."),
        ),
        _HELP,
    ),
}  # fmt: skip
_READER: Final = (
    _INBOX,
    _CASES,
    TourStep(
        "web:ledger",
        _("Who decided what"),
        _("Every decision with the evidence it was bound to; verify the chain, export it."),
    ),
    _HELP,
)


def tour_of(user: User) -> Tour | None:
    """Return the person's tour, or None once it was put away; one query while it is shown."""
    if user.tour_closed_at is not None or user.is_service:
        return None
    held = [one.code for one in user.personas.all() if one.code in _STEPS]
    return Tour(held[0], _STEPS[held[0]]) if held else Tour("", _READER)


def tours() -> tuple[tuple[str, tuple[TourStep, ...]], ...]:
    """Return every persona's tour, in lane order."""
    return tuple((code, _STEPS[code]) for code in BY_CODE if code in _STEPS)
