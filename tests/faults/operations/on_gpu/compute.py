"""Computation of `on_gpu`."""

import time

from pipelines.operations.contract import Context, Outcome


def run(context: Context) -> Outcome:
    """Take so long, and leave a result."""
    time.sleep(context.number("seconds"))
    path = context.output("result")
    path.write_text("{}", encoding="utf-8")
    return Outcome({"result": path}, {})
