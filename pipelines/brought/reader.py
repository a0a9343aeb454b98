"""The child that imports the spec modules of one distribution, and says what they declare."""

import importlib
import json
import os
import sys
from dataclasses import asdict
from typing import IO

from pipelines import confinement
from pipelines.brought.reading import BOUNDS
from pipelines.operations.contract import Spec


def main() -> None:
    """Read each module; one line of JSON for each name."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    modules: dict[str, str] = json.loads(sys.argv[1])
    # What it says goes to a file that was opened before; the limit on files is one on new bytes.
    confinement.confine(BOUNDS)
    for name, module in modules.items():
        _answer(answers, name, module)


def _answer(answers: IO[str], name: str, module: str) -> None:
    try:
        found = importlib.import_module(f"{module}.spec").SPEC
        if not isinstance(found, Spec):
            raise TypeError(f"{module}.spec.SPEC is no Spec but {type(found).__name__}")
        said = json.dumps({"name": name, "spec": asdict(found)})
    # Whatever their module raises is to be named, not to be died of.
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"[:800]
        said = json.dumps({"name": name, "error": text})
    answers.write(said + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
