"""The child that makes a PDF: document as JSON comes in, PDF goes out. Started by `pdf` only.

The only module that imports typst. Texts reach it as data, so nothing in them is markup.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Any

import typst

CPU_SECONDS = 60  # it ends by itself, even where who started it is gone
TEMPLATE = Path(__file__).with_name("document.typ")


def typeset(payload: dict[str, Any]) -> bytes:
    """Return the PDF. Raises typst.TypstError."""
    found: Any = typst.compile(
        str(TEMPLATE),
        root=str(TEMPLATE.parent),
        sys_inputs={"document": json.dumps(payload)},
        timestamp=None,
        package_path=str(TEMPLATE.parent / "no-packages"),
    )
    if not isinstance(found, bytes):
        raise TypeError("typst made no single file")
    return found


def main() -> None:
    """Read one document, write one PDF."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    sys.stdout.buffer.write(typeset(json.load(sys.stdin.buffer)))


if __name__ == "__main__":
    main()
