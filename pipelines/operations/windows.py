"""Names of the columns in a window of logged predictions; the inputs keep their own names. Light.

Serving writes windows, the measuring operations read them: this module is their agreement.
"""

from pipelines.operations.contract import Json

KEY = "_key"  # the caller's name of the row
EVENT_TIME = "_event_time"  # when the thing predicted happens, UTC; decides windows
AT = "_at"  # when the prediction was answered, UTC
MODE = "_mode"  # shadow, canary or live
SERVED_BY = "_served_by"  # model or fallback
VERSION = "_version"  # number of the model version
SCORE = "_score"
LABEL = "_label"
PROBABILITIES = "_probabilities"  # JSON by class, only where there are several
FAILED = "_failed"  # True where the model failed on a row that suits it
LATENCY = "_latency"  # seconds the request took in the server, shared by its rows
ACTUAL = "_actual"  # the class that came out, as text; missing while it is not known
OBSERVED_AT = "_observed_at"  # when the outcome happened
RECEIVED_AT = "_received_at"  # when it was reported

TIMES = (EVENT_TIME, AT, OBSERVED_AT, RECEIVED_AT)
ALL = (
    KEY, EVENT_TIME, AT, MODE, SERVED_BY, VERSION, SCORE, LABEL, FAILED, LATENCY,
    ACTUAL, OBSERVED_AT, RECEIVED_AT,
)  # fmt: skip

MODEL = "model"
FALLBACK = "fallback"


def text_of(value: Json) -> str:
    """A class as text, so that true and "True", or 1, 1.0 and "1" are one class."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return text.lower() if text.lower() in ("true", "false") else text


def class_of(text: str) -> str:
    """The class that a text means where answers say 1 and reports say true, or the reverse."""
    return {"true": "1", "false": "0"}.get(text.lower(), text)
