"""Wait in small slices, so that progress and cancelling can be watched."""

import json
import time

from pipelines.operations.contract import Context, Json, OperationError, Outcome

SLICE_SECONDS = 0.1


def run(context: Context) -> Outcome:
    """Wait, then answer with the message; raises OperationError when told to fail."""
    seconds, rows = context.number("seconds"), context.whole("rows")
    message, fail = context.text("message"), context.text("fail")
    if message:
        context.log(message)
    _wait(context, seconds, rows)
    if fail:
        raise OperationError(
            "noop_failed",
            message or "told to fail",
            field="fail",
            value=fail,
            rule="fail is empty",
            retryable=fail == "retryable",
        )
    facts: dict[str, Json] = {"message": message, "rows": rows}
    path = context.output("result")
    path.write_text(json.dumps(facts, sort_keys=True), encoding="utf-8")
    context.progress(1.0, "done", rows)
    return Outcome(outputs={"result": path}, facts=facts)


def _wait(context: Context, seconds: float, rows: int) -> None:
    started = time.perf_counter()
    while (gone := time.perf_counter() - started) < seconds:
        context.progress(gone / seconds, "waiting", int(rows * gone / seconds))
        time.sleep(min(SLICE_SECONDS, seconds - gone))
