"""How values are written, the same in all three forms. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from pipelines.documents.tree import Figure

NOTHING: Final = "\u2013"
MINUS: Final = "\u2212"
THIN: Final = "\u202f"
LONGEST_LIST = 12
SMALL: Final = 0.01  # below, two significant digits are written
SHORT: Final = frozenset(
    ["auc", "ece", "kpi", "mae", "mase", "pii", "pr", "psi", "rmse", "roc", "slo"]
)


def number(value: float | None, digits: int | None = None) -> str:
    """Write a number with thin thousands, as the pages do."""
    if value is None:
        return NOTHING
    if isinstance(value, int) or (digits is None and value == int(value) and abs(value) < 1e15):
        return _signed(f"{int(value):,}")
    if digits is None:
        size = abs(value)
        digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 10 else 3
        if 0 < size < SMALL:
            return _signed(f"{value:.2g}")
    return _signed(f"{value:,.{digits}f}")


def _signed(text: str) -> str:
    return text.replace(",", THIN).replace("-", MINUS, 1) if text else text


def value_of(figure: Figure) -> str:
    """Write a figure's value with its unit."""
    return _with_unit(figure, figure.value)


def interval_of(figure: Figure) -> str:
    """Write a figure's interval, or "" where it has none."""
    if figure.low is None or figure.high is None:
        return ""
    return f"95 %: {_with_unit(figure, figure.low)} to {_with_unit(figure, figure.high)}"


def _with_unit(figure: Figure, value: float | str) -> str:
    if figure.unit == "digest":
        return str(value)[:16]
    if isinstance(value, str):
        return value
    if figure.unit == "share":
        shown = f"{value * 100:.2f}"
        return f"{shown if float(shown) or not value else f'{value * 100:.2g}'} %"
    if figure.unit == "money":
        return number(value, 0)
    if figure.unit in ("ms", "MiB", "h"):
        return f"{number(value)} {figure.unit}"
    return number(value)


def said(value: Any) -> str:
    """Write what a person or a step has said: texts as they are, lists and maps in one line."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value != int(value):
        return f"{value:.6g}".replace("-", MINUS, 1)
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {said(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        shown = ", ".join(said(one) for one in value[:LONGEST_LIST])
        more = len(value) - LONGEST_LIST
        return f"{shown} and {more} more" if more > 0 else shown
    return str(value)


def words(name: str) -> str:
    """Write a key as words, the first with a capital; what is an abbreviation in capitals."""
    plain = " ".join(
        word.upper() if word in SHORT else word for word in name.replace("_", " ").split()
    )
    return plain[:1].upper() + plain[1:]


def size(count: float | None) -> str:
    """Write a number of bytes in the unit that fits."""
    if count is None:
        return NOTHING
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            digits = 0 if amount >= 100 or unit == "B" else 1
            return f"{amount:.{digits}f} {unit}"
        amount /= 1000
    return NOTHING
