"""References: where an input or a parameter of a step comes from."""

import re
from dataclasses import dataclass
from enum import StrEnum

from pipelines.operations.contract import Json as Json

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Words with a meaning in references; a stage of this name could not be told from them.
RESERVED = frozenset({"run", "feed", "item", "facts"})


class RefKind(StrEnum):
    OUTPUT = "output"  # stage.step.output: made by a step
    INPUT = "input"  # run.<input>: an artefact given to the run
    FEED = "feed"  # feed.<name>: made by the system just before the attempt
    PARAMETER = "parameter"  # run.<parameter>
    FIELD = "field"  # item.<stage>.<item>[.<field>]: what a person filled in, or all of it
    FACT = "fact"  # facts.<stage>.<step>.<fact>: a number or name that a step reported


@dataclass(frozen=True)
class Ref:
    """One reference: `part` of `name`, the step, item, input, parameter or feed."""

    kind: RefKind
    text: str
    name: str
    stage: str = ""
    part: str = ""
    default: Json = None
    has_default: bool = False


def parse_input(text: str) -> Ref | None:
    """An input reference, or None if `text` is not one."""
    parts = text.split(".")
    if not all(KEY.fullmatch(part) for part in parts):
        return None
    if len(parts) == 2 and parts[0] == "run":
        return Ref(RefKind.INPUT, text, name=parts[1])
    if len(parts) == 2 and parts[0] == "feed":
        return Ref(RefKind.FEED, text, name=parts[1])
    if len(parts) == 3 and parts[0] not in RESERVED:
        return Ref(RefKind.OUTPUT, text, stage=parts[0], name=parts[1], part=parts[2])
    return None


def parse_value(text: str, *, default: Json = None, has_default: bool = False) -> Ref | None:
    """A parameter reference, or None if `text` is not one."""
    parts = text.split(".")
    if not all(KEY.fullmatch(part) for part in parts):
        return None
    if len(parts) == 2 and parts[0] == "run":
        return Ref(RefKind.PARAMETER, text, parts[1], "", "", default, has_default)
    if len(parts) == 3 and parts[0] == "item":
        return Ref(RefKind.FIELD, text, parts[2], parts[1], "", default, has_default)
    if len(parts) == 4 and parts[0] == "item":
        return Ref(RefKind.FIELD, text, parts[2], parts[1], parts[3], default, has_default)
    if len(parts) == 4 and parts[0] == "facts":
        return Ref(RefKind.FACT, text, parts[2], parts[1], parts[3], default, has_default)
    return None
