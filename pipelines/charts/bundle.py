"""The child that writes the browser's chart library, out of the same package that draws here.

python -m pipelines.charts.bundle FILE     (about 3 s; 0.9 MB, 0.3 MB compressed beside it)
"""

import gzip
import os
import sys
from pathlib import Path

import vl_convert


def write(place: Path) -> None:
    """Write the library and its compressed form; whoever reads sees all of it or nothing."""
    place.parent.mkdir(parents=True, exist_ok=True)
    # its stub asks for a snippet, which the function does not
    found = vl_convert.javascript_bundle().encode()  # type: ignore[call-arg]
    squeezed = place.with_name(f"{place.name}.gz")
    for path, content in ((squeezed, gzip.compress(found, 9, mtime=0)), (place, found)):
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(path)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
