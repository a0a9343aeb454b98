"""Loads a model file from memory: its types must be on the model operations' allow-list."""

from collections.abc import Iterable

import skops.io

from pipelines.operations.learning.store import TRUSTED


class UntrustedTypesError(Exception):
    """A model file that names types outside the list; `types` holds them."""

    def __init__(self, types: Iterable[str]) -> None:
        self.types = tuple(sorted(types))
        super().__init__(
            f"the model file names types that are not allowed: {', '.join(self.types)}"
        )


def load_model(data: bytes) -> object:
    """Load a skops file that names allowed types only. Raises UntrustedTypesError."""
    foreign = set(skops.io.get_untrusted_types(data=data)) - set(TRUSTED)
    if foreign:
        raise UntrustedTypesError(foreign)
    return skops.io.loads(data, trusted=list(TRUSTED))
