"""What a text may hold before any renderer sees it. Pure."""

import re
from typing import Final

# Control characters, and those that turn the direction of what follows: they can make a text read
# as something else than it is. Newlines and tabs stay.
UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def clean(text: str) -> str:
    """Return the text without what no reader sees and some are fooled by."""
    return UNSAFE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """Return the text in one line: for cells, headings and labels."""
    return " ".join(clean(text).split())


def address(base: str, path: str) -> str:
    """Return the address of a page of ours; "" for anything that is none."""
    return (
        f"{base}{path}" if re.fullmatch(r"/(?!/)[\w./:?=#&@-]*", path) and ".." not in path else ""
    )
