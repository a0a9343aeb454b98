"""Signs of personal data in column names and values."""

import re

import pandas as pd

SAMPLE = 2_000  # distinct values looked at per column
SHARE = 0.5  # of the sampled values that must look like it (own)
NAMES = re.compile(
    r"(?i)(^|_)(first|last|sur|full|given|family|maiden|person|customer|patient|employee)_?name(_|$)"
    r"|(^|_)(e?_?mail|phone|mobile|fax|ssn|passport|iban|birth|dob|birthday|birthdate|address"
    r"|street|postcode|zip_?code|ip_?address|licen[cs]e_?plate|credit_?card|gender|sex|religion"
    r"|ethnicity|nationality|latitude|longitude)(_|$)|^surname$|^name$"
)
VALUES = {
    "e-mail address": re.compile(r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"),
    "IP address": re.compile(r"^(\d{1,3}\.){3}\d{1,3}$"),
    "IBAN": re.compile(r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$"),
    "phone number": re.compile(r"^\+\d[\d ()/-]{7,18}$"),
    "social security number": re.compile(r"^\d{3}-\d{2}-\d{4}$"),
    "payment card": re.compile(r"^(\d[ -]?){13,19}$"),
}


def pii_suspicion(series: pd.Series) -> str:
    """Why a column may hold personal data; "" when nothing speaks for it."""
    if not (
        pd.api.types.is_string_dtype(series.dtype) or pd.api.types.is_object_dtype(series.dtype)
    ):
        return f"its name {series.name!r}" if NAMES.search(str(series.name)) else ""
    values = [str(value) for value in series.dropna().unique()[:SAMPLE]]
    for what, pattern in VALUES.items():
        hits = [value for value in values if pattern.match(value)]
        if what == "payment card":
            hits = [value for value in hits if luhn(value)]
        if values and len(hits) > SHARE * len(values):
            return f"{len(hits)} of {len(values)} values look like an {what}".replace(
                "an " + what, ("an " if what[0] in "eI" else "a ") + what
            )
    return f"its name {series.name!r}" if NAMES.search(str(series.name)) else ""


def luhn(text: str) -> bool:
    """Whether the digits pass the check sum of payment cards."""
    digits = [int(mark) for mark in reversed(text) if mark.isdigit()]
    total = sum(digits[0::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return total % 10 == 0
