"""What a process of the fault tests knows more, or less, than the code it runs."""

import os

from pipelines import catalogue

if os.environ.get("BATON_TEST_KNOWS"):
    catalogue.CHECKS["newer"] = "tests.faults.newer.check"
    catalogue.EFFECTS["newer"] = "tests.faults.newer.effect"
for _name in filter(None, os.environ.get("BATON_TEST_KNOWS", "").split(",")):
    catalogue.OPERATIONS[_name] = f"tests.faults.operations.{_name}"
