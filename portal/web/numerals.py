"""Numbers and times as the reader writes them; what programs read is never written by this.

Templates show a plain `{{ number }}` with a point in every language (see formats/): drawings and
forms stay valid, and only the tags write for people.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone
from django.utils.dateformat import format as dated
from django.utils.translation import get_language

MINUS: Final = "\u2212"


@dataclass(frozen=True)
class Style:
    """How a language groups thousands and marks decimals, and its dates (Django's letters)."""

    thousands: str
    decimal: str
    moment: str
    exact: str
    day: str
    percent: str = "\u00a0%"


ENGLISH: Final = Style("\u202f", ".", "d M H:i", "D d M Y, H:i:s T", "d M Y", " %")
STYLES: Final = {"en": ENGLISH, "de": Style(".", ",", "d. M H:i", "D, d. M Y, H:i:s T", "d. M Y")}


def style() -> Style:
    """Return the style of the language that is active."""
    return STYLES.get((get_language() or "en").partition("-")[0], ENGLISH)


def whole(value: int) -> str:
    """Write a whole number with its thousands apart."""
    return f"{value:,}".replace(",", style().thousands)


def significant(value: float) -> str:
    """Write a small number with two significant digits: never as nothing."""
    return f"{value:.2g}".replace(".", style().decimal)


def decimal(value: float, digits: int) -> str:
    """Write a number with this many decimals; more where they would say that it is zero."""
    how = style()
    if value and not float(f"{value:.{digits}f}"):
        return significant(value)
    before, _, after = f"{value:,.{digits}f}".partition(".")
    before = before.replace(",", how.thousands)
    return f"{before}{how.decimal}{after}" if after else before


def share(value: float, digits: int) -> str:
    """Write a share (0 to 1) as a percentage."""
    return f"{decimal(value * 100, digits)}{style().percent}"


def moment(at: datetime) -> str:
    """Write a time without its year, in the reader's zone."""
    return dated(timezone.localtime(at), style().moment)


def day(at: datetime) -> str:
    """Write the day of a time, in the reader's zone."""
    return dated(timezone.localtime(at), style().day)


def exact(at: datetime) -> str:
    """Write a time to the second, with its zone."""
    return dated(timezone.localtime(at), style().exact)
