"""The line is the effect that a second go would double."""

import time

from pipelines.operations.contract import Context, Outcome


def run(context: Context) -> Outcome:
    """Write, wait, answer."""
    with open(context.text("file"), "a", encoding="utf-8") as stream:
        stream.write("done\n")
    until = time.monotonic() + context.number("seconds")
    while time.monotonic() < until:
        context.progress(0.5, "waiting")
        time.sleep(0.05)
    path = context.output("result")
    path.write_text("{}", encoding="utf-8")
    return Outcome(outputs={"result": path}, facts={})
