"""How a comment's text is shown: plain, its addresses as links, those it calls marked.

Registered as built-ins in the settings, so templates load nothing.
"""

import re
from typing import Final

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from pipelines.runs.models import Comment
from pipelines.runs.queries.checks import title_of
from pipelines.runs.talk import NAMED

register = template.Library()

# Only what a browser opens as a page; nothing that changes the direction of writing is in a link,
# for it could make an address look like another one.
TURNS: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
ADDRESS: Final = re.compile(rf"https?://[^\s<>\"'{TURNS}]+", re.IGNORECASE)
ENDS: Final = ".,;:!?)]}"


@register.filter
def said(comment: Comment) -> SafeString:
    """Return the text as safe HTML: paragraphs, line breaks, links, mentions."""
    blocks = re.split(r"\n\s*\n", comment.text)
    shown = (_linked(block, comment.mentions).replace("\n", "<br>") for block in blocks)
    return mark_safe("".join(f'<p dir="auto">{block}</p>' for block in shown))  # noqa: S308 - escaped in _linked


def _linked(text: str, mentions: dict[str, int]) -> str:
    parts: list[str] = []
    end = 0
    for match in ADDRESS.finditer(text):
        address = match[0].rstrip(ENDS)
        parts.append(_called(text[end : match.start()], mentions))
        parts.append(f'<a href="{escape(address)}" rel="nofollow noopener noreferrer"')
        parts.append(f">{escape(address)}</a>")
        end = match.start() + len(address)
    return "".join([*parts, _called(text[end:], mentions)])


def _called(text: str, mentions: dict[str, int]) -> str:
    parts: list[str] = []
    end = 0
    for match in NAMED.finditer(text):
        login = match[1].rstrip(".-+")
        if login in mentions:
            parts.append(escape(text[end : match.start()]))
            parts.append(f'<strong class="called">@{escape(login)}</strong>')
            end = match.start() + 1 + len(login)
    return "".join([*parts, escape(text[end:])])


@register.filter
def thread_place(comment: Comment) -> str:
    """Return what a comment hangs on, in words; empty where on nothing."""
    stage, _dot, name = comment.place.partition(".")
    words = {
        "check": _("check %(name)s") % {"name": title_of(name or stage)},
        "figure": _("figure %(name)s") % {"name": comment.place},
        "item": _("work item %(name)s") % {"name": name.replace("_", " ")},
        "hand_off": _("hand-off %(name)s") % {"name": comment.place},
        "stage": _("stage %(name)s") % {"name": comment.place.replace("_", " ")},
    }
    return words.get(comment.anchor, "")
