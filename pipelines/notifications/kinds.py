"""The kinds of notifications, and how each reaches people who have said nothing of it."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

AT_ONCE: Final = "at_once"
DIGEST: Final = "digest"
OFF: Final = "off"
MODES: Final[Mapping[str, Promise]] = {
    AT_ONCE: _("at once"),
    DIGEST: _("in the daily digest"),
    OFF: _("in Baton only"),
}

KINDS: Final[Mapping[str, Promise]] = {
    "decide": _("I am asked to decide"),
    "offered": _("a hand-off is offered to me"),
    "returned": _("a hand-off of mine is returned"),
    "given": _("an item is assigned or delegated to me"),
    "changes": _("changes are requested on my work"),
    "help": _("my help is asked for"),
    "attention": _("something stopped and needs a person"),
    "reminder": _("a deadline of mine comes nearer or is over"),
    "escalated": _("something nobody answered is escalated to me"),
    "mention": _("a comment mentions me"),
    "run": _("a run ended"),
    "alert": _("an alert is opened"),
    "statement": _("a statement I signed is void"),
    "deputy": _("I am named as a deputy"),
}

# What somebody waits for goes at once; what can wait until tomorrow waits for the digest.
DEFAULTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(KINDS, DIGEST),
    **dict.fromkeys(("decide", "returned", "given", "changes", "escalated", "mention"), AT_ONCE),
    **dict.fromkeys(("alert", "help", "deputy"), AT_ONCE),
}
