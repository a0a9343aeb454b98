"""Notifications by mail: gathered to one mail per person, then sent, in every engine process.

Gathering happens once (a row belongs to one mail, in one transaction). Sending is at least once:
a try is noted before the server is spoken to and the success after it, so a process that dies in
between sends the mail again, under the same Message-ID, and never more than MAX_TRIES times.
"""

import logging
import time
import unicodedata
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import Q
from django.template import Context, Engine
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from personas.models import BatonNow, User
from pipelines.notifications.models import Mail, Notification
from pipelines.notifications.queries import preferences_of, seen_by
from pipelines.notifications.wording import Line, line_of

logger = logging.getLogger(__name__)

MAX_TRIES: Final = 8
BACKOFF: Final = timedelta(seconds=15)
MOST_PEOPLE: Final = 200
MOST_MAILS: Final = 200
MOST_LINES: Final = 50
KEPT: Final = timedelta(days=90)
PURGE_SECONDS: Final = 3600.0
PURGED_AT_ONCE: Final = 5000
LONGEST_SUBJECT: Final = 140

_purged_at: list[float] = []


def look_out() -> None:
    """Gather and send what is due, and once an hour forget what is old. An engine's lookout."""
    if settings.EMAIL_CONFIGURED:
        gather()
        for _number in range(MOST_MAILS):
            if not send_one():
                break
    if not _purged_at or time.monotonic() - _purged_at[-1] > PURGE_SECONDS:
        _purged_at[:] = [time.monotonic()]
        purge()


def gather() -> int:
    """Make one mail for each person for whom something is due; returns how many.

    What is to go at once comes along even before its time: fifty events of a minute are one mail.
    """
    due = Notification.objects.filter(mail=None, mail_due_at__lte=BatonNow())
    people = due.order_by("user").values_list("user_id", flat=True).distinct()
    return sum(_gather_for(pk) for pk in list(people[:MOST_PEOPLE]))


@transaction.atomic
def _gather_for(user_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtext('baton.mail'), %s::int)", [user_id]
        )
        if not cursor.fetchone()[0]:
            return False  # another engine is at it
    waiting = Notification.objects.filter(user_id=user_id, mail=None)
    if not waiting.filter(mail_due_at__lte=BatonNow()).exists():
        return False
    mail = Mail.objects.create(user_id=user_id)
    waiting.filter(
        Q(mail_due_at__lte=BatonNow()) | Q(mode="at_once", mail_due_at__isnull=False)
    ).update(mail=mail)
    return True


def send_one() -> bool:
    """Send the mail that has been due longest; False where none is due."""
    mail = _claim()
    if mail is None:
        return False
    try:
        message = message_of(mail)
        if message is None:
            Mail.objects.filter(pk=mail.pk).update(dropped_at=BatonNow())
            return True
        message.send()
    # Whatever a server or an address does wrong must not keep the others' mails from going out.
    except Exception as error:
        logger.warning("mail %s: %s", mail.pk, error)
        dead = {"dead_at": BatonNow()} if mail.tries >= MAX_TRIES else {}
        told = f"{type(error).__name__}: {error}"[:2000]
        Mail.objects.filter(pk=mail.pk).update(error=told, **dead)
        return True
    Mail.objects.filter(pk=mail.pk).update(sent_at=BatonNow(), error="")
    return True


@transaction.atomic
def _claim() -> Mail | None:
    """Note a try before it is made: whoever dies in it leaves the mail to a later one."""
    open_ = Mail.objects.select_for_update(skip_locked=True, of=("self",)).select_related("user")
    open_ = open_.filter(sent_at=None, dropped_at=None, dead_at=None, due_at__lte=BatonNow())
    mail = open_.order_by("due_at", "id").first()
    if mail is None:
        return None
    if mail.tries >= MAX_TRIES:  # each try died with its process
        mail.dead_at = mail.due_at
        Mail.objects.filter(pk=mail.pk).update(dead_at=BatonNow(), error="given up")
        return _claim()
    mail.tries += 1
    Mail.objects.filter(pk=mail.pk).update(
        tries=mail.tries, due_at=BatonNow() + BACKOFF * 2**mail.tries
    )
    return mail


def message_of(mail: Mail) -> EmailMultiAlternatives | None:
    """Return the mail as it may be sent now, or None where nothing is left to say.

    Left out: what was read meanwhile, and what the person may no longer see. Raises
    ValidationError for an address that is none.
    """
    user = mail.user
    if not (user.is_active and user.email) or not preferences_of(user).mail:
        return None
    rows = seen_by(user).filter(mail=mail, read_at=None).select_related("use_case")
    found = list(rows.order_by("-id")[: MOST_LINES + 1])
    if not found:
        return None
    validate_email(user.email)
    with translation.override(language_of(user)):
        lines = [line_of(row) for row in found[:MOST_LINES]]
        more = len(found) > MOST_LINES
        subject = subject_of(lines, more)
        text, html = (_render(name, user, lines, more) for name in ("mail.txt", "mail.html"))
    host = urlsplit(settings.URL).hostname or "localhost"
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        to=[user.email],
        headers={
            # The same at each try, so that whoever gets it twice can tell.
            "Message-ID": f"<baton-{mail.pk}-{mail.created_at:%Y%m%d%H%M%S%f}@{host}>",
            "Auto-Submitted": "auto-generated",
            # Leads to a page. Without List-Unsubscribe-Post nothing may act by opening it.
            "List-Unsubscribe": f"<{settings.URL}/settings/notifications/>",
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def language_of(user: User) -> str:
    """Return the language the person reads, where they have chosen one."""
    return str(getattr(user, "language", "") or settings.LANGUAGE_CODE)


def subject_of(lines: Sequence[Line], more: bool) -> str:
    """Return the subject: what is asked, and of which use case; or how much there is."""
    if len(lines) == 1:
        use_case = f" ({lines[0].use_case})" if lines[0].use_case else ""
        return one_line(f"Baton: {lines[0].text}{use_case}")
    if more:
        return _("Baton: more than %(count)s notifications") % {"count": MOST_LINES}
    told = ngettext("Baton: %(count)s notification", "Baton: %(count)s notifications", len(lines))
    return one_line(told % {"count": len(lines)})


def one_line(text: str) -> str:
    """Return text as one line of a head: no line end, no control, nothing that turns it round."""
    plain = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    plain = " ".join(plain.split())
    return plain if len(plain) <= LONGEST_SUBJECT else plain[: LONGEST_SUBJECT - 1] + "…"


@lru_cache(maxsize=1)
def _engine() -> Engine:
    """Templates without what pages need: a mail has no persona tags, and the engine no pages."""
    libraries = {"i18n": "django.templatetags.i18n"}
    return Engine(
        dirs=[str(settings.BASE_DIR / "templates" / "notifications")], libraries=libraries
    )


def _render(name: str, user: User, lines: Sequence[Line], more: bool) -> str:
    # In the plain text nothing is escaped; a title must not begin new lines in it.
    shown = [(one_line(line.text), one_line(line.use_case), line.run, line.path) for line in lines]
    context = {"user": user, "lines": shown, "more": more, "url": settings.URL}
    html = name.endswith(".html")
    context["language"] = translation.get_language()
    return _engine().get_template(name).render(Context(context, autoescape=html))


def purge() -> int:
    """Forget what is older than 90 days, read or not; returns how many notifications."""
    old = Notification.objects.filter(created_at__lt=BatonNow() - KEPT).order_by("created_at")
    gone, _by_model = Notification.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[:PURGED_AT_ONCE])
    ).delete()
    mails = Mail.objects.filter(created_at__lt=BatonNow() - KEPT, lines=None).order_by("id")
    Mail.objects.filter(pk__in=list(mails.values_list("pk", flat=True)[:PURGED_AT_ONCE])).delete()
    return gone
