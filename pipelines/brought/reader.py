"""The child that imports the spec modules of one distribution, and says what they declare."""

import importlib
import json
import os
import sys
from dataclasses import asdict
from typing import IO

from pipelines import confinement
from pipelines.confinement import Bounds
from pipelines.operations.contract import Spec


def main() -> None:
    """Read each module; one line of JSON for each name."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    modules: dict[str, str] = json.loads(sys.argv[1])
    # What it says goes to a file that was opened before; the limit on files is one on new bytes.
    try:
        confinement.confine(Bounds(**json.loads(sys.argv[2])))
    except OSError as error:
        for name in modules:
            _say(answers, name, error=f"it was not read, for it cannot be held back: {error}")
        return
    for name, module in modules.items():
        _answer(answers, name, module)


def _answer(answers: IO[str], name: str, module: str) -> None:
    try:
        found = importlib.import_module(f"{module}.spec").SPEC
        if not isinstance(found, Spec):
            raise TypeError(f"{module}.spec.SPEC is no Spec but {type(found).__name__}")
        _say(answers, name, spec=asdict(found))
    # Whatever their module raises is to be named, not to be died of.
    except BaseException as error:
        _say(answers, name, error=f"{type(error).__name__}: {error}"[:800])


def _say(answers: IO[str], name: str, **said: object) -> None:
    line = json.dumps({"name": name, **said})
    answers.write(line + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
