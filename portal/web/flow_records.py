"""The kinds of records behind the figures of flow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pipelines.insights import overview
from pipelines.insights.overview import Records


@dataclass(frozen=True)
class Kind:
    """Records of a kind: their title, by what they are narrowed, and how they are read."""

    key: str
    title: Promise
    by: tuple[str, ...]
    read: Callable[..., Records]

    @property
    def template(self) -> str:
        """The rows of its table."""
        return f"flow/_records_{self.key.replace('-', '_')}.html"


KINDS: Final[Mapping[str, Kind]] = {
    kind.key: kind
    for kind in (
        Kind("hand-offs", _("Hand-offs"), ("giver", "receiver"), overview.hand_offs),
        Kind("gates", _("Reviews"), ("stage",), overview.gates),
        Kind("returns", _("Returns"), ("code", "giver", "receiver"), overview.returns),
        Kind("visits", _("Rounds of stages"), ("stage",), overview.visits),
    )
}
