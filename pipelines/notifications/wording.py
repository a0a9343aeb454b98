"""What a notification says, in the language of who reads it, and the page it leads to.

Names from the ledger are put into sentences as they are; pages and mails escape them.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pipelines.notifications.models import Notification

SENTENCES: Final[Mapping[str, Promise]] = {
    "decide": _("Decide on %(thing)s"),
    "offered": _("%(by)s offers you %(thing)s"),
    "returned": _("%(by)s returned your hand-off to %(thing)s (%(code)s)"),
    "given": _("%(by)s gave you “%(thing)s”"),
    "changes": _("%(by)s asks for changes to %(thing)s (%(code)s)"),
    "help": _("%(by)s asks for your help: “%(thing)s”"),
    "attention": _("This needs a person: “%(thing)s”"),
    "reminder": _("%(percent)s %% of the time for %(thing)s is over"),
    "overdue": _("The time for %(thing)s is over"),
    "escalated": _("Nobody has answered yet: %(thing)s"),
    "mention": _("%(by)s mentions you in a comment on %(thing)s"),
    "run": _("%(run)s ended: %(state)s"),
    "alert": _("A %(severity)s alert on %(thing)s: %(cause)s"),
    "statement": _("Your statement on %(thing)s is no longer valid"),
    "deputy": _("You act for %(thing)s as %(persona)s"),
}

STATES: Final[Mapping[str, Promise]] = {
    "SUCCEEDED": _("succeeded"),
    "FAILED": _("failed"),
    "REJECTED": _("rejected"),
    "CANCELLED": _("cancelled"),
}

# Each leads to a page that shows; none of these addresses acts when it is opened.
PAGES: Final[Mapping[str, str]] = {
    "gate": "/gates/%s/",
    "hand_off": "/hand-offs/%s/",
    "item": "/items/%s/",
    "run": "/runs/%s/",
    "model": "/models/%s/",
    "use_case": "/use-cases/%s/",
    "readiness": "/use-cases/%s/readiness/",
    "away": "/away/",
}


@dataclass(frozen=True)
class Line:
    """A notification as it is read."""

    pk: int
    kind: str
    text: str
    run: str
    use_case: str
    use_case_key: str
    path: str
    created_at: datetime
    read_at: datetime | None


def text_of(row: Notification) -> str:
    """Return what the notification says, in the language that is active."""
    data: dict[str, object] = defaultdict(str, row.data)
    name = row.kind
    if name == "reminder" and data["percent"] == 100:
        name = "overdue"
    if name == "run":
        data["state"] = STATES.get(str(data["state"]), data["state"])
    for word in ("code", "cause"):
        data[word] = str(data[word]).replace("_", " ")
    return (str(SENTENCES[name]) % data).replace(" ()", "")


def path_of(row: Notification) -> str:
    """Return the address of the page it leads to."""
    pattern = PAGES[row.noun]
    return pattern % row.noun_id if "%s" in pattern else pattern


def line_of(row: Notification) -> Line:
    """Return the notification as it is read now; its use case must be fetched with it."""
    use_case = row.use_case
    return Line(
        pk=row.pk,
        kind=row.kind,
        text=text_of(row),
        run="" if row.kind == "run" else str(row.data.get("run", "")),
        use_case=use_case.title if use_case else "",
        use_case_key=use_case.key if use_case else "",
        path=path_of(row),
        created_at=row.created_at,
        read_at=row.read_at,
    )
