"""What Baton relies on, of every operation of this package. Run it with pytest, beside Baton."""

from pathlib import Path

import pytest

from pipelines.operations import conformance

MODULES = ("acme_operations.count_values",)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("rule", conformance.RULES)
def test_operation_conforms(module: str, rule: str, tmp_path: Path) -> None:
    """Each rule returns what is wrong, in words."""
    assert conformance.problems(module, rule, folder=tmp_path) == []
