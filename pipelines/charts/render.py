"""The child that draws charts: a specification a line comes in, a drawing goes out, many times.

Started by `drawing` only; with `render.py`, `bundle.py` is the only module that imports vl_convert.
It ends when its input does, when nobody asked for a while, or when it has used too much.
"""

import json
import resource
import select
import sys
from typing import Final

import vl_convert

IDLE_SECONDS: Final = 60.0
CPU_SECONDS: Final = 600  # it ends by itself, even where who started it is gone


def draw(text: str) -> dict[str, str]:
    """Return the drawing of a specification, or what is wrong with it."""
    try:
        return {"svg": vl_convert.vegalite_to_svg(json.loads(text), allowed_base_urls=[])}
    except ValueError as error:
        return {"error": str(error)[:2000]}


def main() -> None:
    """Answer each line with a line."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    while select.select([sys.stdin], [], [], IDLE_SECONDS)[0]:  # a line asked, a line told
        line = sys.stdin.readline()
        if not line:
            return
        sys.stdout.write(json.dumps(draw(line)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
