"""The blueprints that come with Baton: TOML files in `library/`."""

from pathlib import Path

from pipelines.blueprints.parse import parse_toml
from pipelines.blueprints.spec import Blueprint

LIBRARY = Path(__file__).parent / "library"


def shipped_keys() -> tuple[str, ...]:
    """The keys of the shipped blueprints, in order."""
    return tuple(sorted(path.stem for path in LIBRARY.glob("*.toml")))


def shipped_text(key: str) -> str:
    """The TOML of a shipped blueprint. Raises KeyError."""
    if key not in shipped_keys():
        raise KeyError(key)
    return (LIBRARY / f"{key}.toml").read_text(encoding="utf-8")


def shipped(key: str) -> Blueprint:
    """A shipped blueprint. Raises KeyError."""
    return parse_toml(shipped_text(key))
