"""Who is told of what, once; what goes out by mail, to whom, and how often."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail as outside
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.urls import resolve
from django.utils import translation

from personas.errors import Invalid
from personas.models import BatonNow, Outbox, User
from pipelines.notifications import actions, kinds, mail, queries, wording
from pipelines.notifications.audience import TOPICS
from pipelines.notifications.models import Mail, Notification, Preferences
from pipelines.runs import outbox
from pipelines.runs.actions import gates, item_moves, items
from pipelines.runs.models import Run, WorkItem
from pipelines.runs.queries import clock
from pipelines.usecases.actions import Wish, delegate, end_seat
from pipelines.usecases.models import Seat
from tests.cast import Cast, acting
from tests.domain import engine as f

pytestmark = pytest.mark.django_db
HOSTILE = "Late\r\nBcc: everybody@example.org\u202e<b>"


def deliver() -> None:
    while outbox.deliver():
        pass
    assert not Outbox.objects.exclude(error="").exists(), Outbox.objects.exclude(error="").first()


def kinds_of(user: User) -> list[str]:
    return [row.kind for row in Notification.objects.filter(user=user).order_by("id")]


def texts(user: User) -> list[str]:
    return [wording.text_of(row) for row in Notification.objects.filter(user=user).order_by("id")]


@pytest.fixture
def at_gate(cast: Cast) -> Run:
    """A run whose gate two data scientists may decide."""
    made = f.run(cast, f.stage("one", "DE", gate=f.gate("DS")), f.stage("two", "DS", needs=["one"]))
    f.perform()
    return made


def test_who_may_decide_is_asked_once_whatever_is_repeated(cast: Cast, at_gate: Run) -> None:
    deliver()
    assert "decide" in kinds_of(cast.sofia)
    assert "decide" in kinds_of(cast.noor)
    assert "decide" not in kinds_of(cast.dmitri)
    assert kinds_of(cast.iris) == []
    before = Notification.objects.count()
    Outbox.objects.update(sent_at=None, due_at=BatonNow())
    deliver()
    assert Notification.objects.count() == before


def test_it_is_told_with_the_outbox_row_or_not_at_all(cast: Cast, at_gate: Run) -> None:
    with transaction.atomic():
        deliver()
        assert Notification.objects.exists()
        transaction.set_rollback(True)  # killed before the commit
    assert not Notification.objects.exists()
    deliver()
    assert kinds_of(cast.sofia).count("decide") == 1


def test_a_gate_that_closed_meanwhile_asks_nobody(cast: Cast, at_gate: Run) -> None:
    gate = at_gate.gates.get()
    gates.decide(actor=acting(cast.sofia), gate=gate, verdict="approve", seen=gate.subject_digest)
    deliver()
    assert "decide" not in kinds_of(cast.noor)


def test_changes_and_the_end_of_a_run_reach_whose_work_it_is(cast: Cast, at_gate: Run) -> None:
    gate = at_gate.gates.get()
    gates.decide(
        actor=acting(cast.sofia), gate=gate, verdict="request_changes", seen=gate.subject_digest,
        reason="secret thoughts", reason_code="quality",
    )  # fmt: skip
    deliver()
    [told] = [text for text in texts(cast.dmitri) if "changes" in text]
    assert told == "Sofia Reyes asks for changes to One (quality)"
    assert "secret" not in str(list(Notification.objects.values_list("data", flat=True)))
    assert kinds_of(cast.sofia).count("changes") == 0


def test_an_item_that_is_passed_on_is_told_to_who_got_it(cast: Cast) -> None:
    f.run(cast, f.stage("one", "DS", items=[f.form("note")]))
    item = WorkItem.objects.get()
    items.claim(actor=acting(cast.sofia), item=item)
    item_moves.delegate(actor=acting(cast.sofia), item=item, to=cast.noor, reason="away")
    deliver()
    assert texts(cast.noor)[-1] == "Sofia Reyes gave you “Note”"
    assert "given" not in kinds_of(cast.sofia)


def test_a_deputy_is_told(cast: Cast) -> None:
    f.use_case(cast)
    now = clock.now()
    wish = Wish(
        giver=cast.sofia, deputy=cast.noor, persona="DS", use_case=None,
        since=now, until=now + timedelta(days=2), reason="",
    )  # fmt: skip
    delegate(actor=acting(cast.sofia), wish=wish)
    deliver()
    assert texts(cast.noor)[-1] == "You act for Sofia Reyes as DS"


def test_who_lost_the_right_sees_nothing_and_gets_no_mail(
    cast: Cast, at_gate: Run, written: Any
) -> None:
    deliver()
    assert queries.unread(cast.noor) > 0
    for seat in Seat.objects.filter(user=cast.noor, until=None):
        end_seat(actor=acting(cast.amara), seat=seat)
    assert queries.unread(cast.noor) == 0
    assert queries.part(cast.noor, "new").count == 0
    send_now()
    assert [one for one in outside.outbox if cast.noor.email in one.to] == []
    assert Mail.objects.get(user=cast.noor).dropped_at is not None


def test_each_word_has_a_page_and_a_kind() -> None:
    assert set(wording.SENTENCES) == {*kinds.KINDS, "overdue"}
    assert set(kinds.DEFAULTS) == set(kinds.KINDS)
    for noun, pattern in wording.PAGES.items():
        path = (
            pattern % ("x" if noun in ("model", "use_case", "readiness") else "1")
            if ("%s" in pattern)
            else pattern
        )
        assert resolve(path).view_name == f"web:{noun}"
    assert len(TOPICS) > 20


# --- Mail --------------------------------------------------------------------------------------


@pytest.fixture
def written(cast: Cast, settings: Any) -> None:
    """A mail server is set up, and Sofia and Noor have addresses."""
    settings.EMAIL_CONFIGURED = True
    for user in (cast.sofia, cast.noor):
        user.email = f"{user.username}@example.org"
        user.save()


def send_now() -> None:
    """Let what waits be due, and send it."""
    Notification.objects.filter(mail=None, mail_due_at__isnull=False).update(
        mail_due_at=BatonNow() - timedelta(seconds=1)
    )
    mail.gather()
    while mail.send_one():
        pass


def many(cast: Cast, at_gate: Run, count: int, *, title: str = "Note") -> None:
    """Sofia is given that many items: each an event."""
    made = f.run(cast, f.stage("s", "DS", items=[f.form(f"n{n}") for n in range(count)]))
    made.items.update(title=title)
    for item in made.items.all():
        item_moves.assign(actor=acting(cast.priya), item=item, to=cast.sofia, reason="do it")
    deliver()


def test_fifty_events_of_a_minute_are_one_mail(cast: Cast, at_gate: Run, written: Any) -> None:
    many(cast, at_gate, 50)
    mine = Notification.objects.filter(user=cast.sofia, kind="given")
    assert mine.count() == 50
    assert mail.gather() == 0, "within the minute nothing goes out"
    first = mine.earliest("id")
    Notification.objects.filter(pk=first.pk).update(mail_due_at=BatonNow())
    assert (mail.gather(), mail.gather()) == (1, 0)
    assert mine.filter(mail=None).count() == 0
    while mail.send_one():
        pass
    assert len([one for one in outside.outbox if one.to == [cast.sofia.email]]) == 1


def test_a_hostile_title_adds_no_head_and_no_markup(cast: Cast, at_gate: Run, written: Any) -> None:
    many(cast, at_gate, 1, title=HOSTILE)
    Notification.objects.exclude(kind="given").delete()
    send_now()
    [sent] = outside.outbox
    whole = sent.message()
    assert "Bcc" not in whole
    assert "\n" not in sent.subject
    assert "\u202e" not in sent.subject
    assert not re.search(r"^Bcc:", str(sent.body), flags=re.MULTILINE)
    assert isinstance(sent, EmailMultiAlternatives)
    html = str(sent.alternatives[0][0])
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert whole["List-Unsubscribe"].endswith("/settings/notifications/>")
    assert "List-Unsubscribe-Post" not in whole


def test_an_address_with_a_line_end_is_never_written_to(
    cast: Cast, at_gate: Run, written: Any
) -> None:
    many(cast, at_gate, 1)
    User.objects.filter(pk=cast.sofia.pk).update(email="a@example.org\nBcc: b@example.org")
    send_now()
    assert [one for one in outside.outbox if "Bcc" in str(one.to)] == []
    assert "ValidationError" in Mail.objects.get(user=cast.sofia).error


def test_a_failing_server_is_tried_again_and_at_last_given_up(
    cast: Cast, at_gate: Run, written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(cast, at_gate, 1)

    def refuse(*_: object, **__: object) -> int:
        raise ConnectionRefusedError("no server")

    with monkeypatch.context() as patched:
        patched.setattr(EmailMultiAlternatives, "send", refuse)
        send_now()
        assert not mail.send_one(), "it waits before it tries again"
        mails = Mail.objects.filter(user=cast.sofia)
        assert (mails.get().tries, mails.get().sent_at) == (1, None)
        for _ in range(2 * mail.MAX_TRIES):
            Mail.objects.update(due_at=BatonNow())
            mail.send_one()
    assert mails.get().tries == mail.MAX_TRIES
    assert mails.get().dead_at is not None


def test_who_dies_after_sending_sends_again_under_the_same_name(
    cast: Cast, at_gate: Run, written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(cast, at_gate, 1)
    Notification.objects.exclude(user=cast.sofia).delete()
    real = EmailMultiAlternatives.send

    def send_and_die(message: Any) -> int:
        real(message)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(EmailMultiAlternatives, "send", send_and_die)
        with pytest.raises(KeyboardInterrupt):
            send_now()
    Mail.objects.update(due_at=BatonNow())
    assert mail.send_one()
    assert not mail.send_one()
    names = [one.message()["Message-ID"] for one in outside.outbox]
    assert len(names) == 2
    assert len(set(names)) == 1


def test_what_was_read_meanwhile_is_not_written(cast: Cast, at_gate: Run, written: Any) -> None:
    many(cast, at_gate, 2)
    newest = Notification.objects.latest("id").pk
    answer = actions.mark_read(actor=acting(cast.sofia), until=newest)
    assert answer.data["read"] >= 2
    Notification.objects.exclude(user=cast.sofia).delete()
    send_now()
    assert outside.outbox == []


def test_without_a_server_nothing_waits_for_one(cast: Cast, at_gate: Run) -> None:
    deliver()
    assert Notification.objects.exists()
    assert not Notification.objects.exclude(mail_due_at=None).exists()


def test_a_new_wish_moves_what_still_waits(cast: Cast, at_gate: Run, written: Any) -> None:
    many(cast, at_gate, 1)
    given = Notification.objects.filter(user=cast.sofia, kind="given")
    assert given.get().mode == kinds.AT_ONCE
    actions.set_preferences(actor=acting(cast.sofia), wish={"by_kind": {"given": "digest"}})
    assert given.get().mode == kinds.DIGEST
    actions.set_preferences(actor=acting(cast.sofia), wish={"mail": False})
    assert given.get().mail_due_at is None
    assert Preferences.objects.get().by_kind == {"given": "digest"}


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"digest_hour": 24}, "digest_hour"),
        ({"by_kind": {"given": "never"}}, "by_kind"),
        ({"by_kind": {"gossip": "off"}}, "by_kind"),
        ({"sound": "loud"}, "sound"),
    ],
)
def test_a_bad_wish_names_field_rule_and_value(cast: Cast, wish: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        actions.set_preferences(actor=acting(cast.sofia), wish=wish)
    assert field in refused.value.fields
    assert not Preferences.objects.exists()


def test_nobody_reads_for_another(cast: Cast, at_gate: Run) -> None:
    deliver()
    theirs = list(Notification.objects.filter(user=cast.noor).values_list("pk", flat=True))
    assert actions.mark_read(actor=acting(cast.sofia), ids=theirs).data == {"read": 0}


def test_after_ninety_days_it_is_forgotten(cast: Cast, at_gate: Run) -> None:
    deliver()
    keep = Notification.objects.latest("id")
    Notification.objects.exclude(pk=keep.pk).update(created_at=BatonNow() - timedelta(days=91))
    mail.purge()
    assert list(Notification.objects.all()) == [keep]


def test_words_are_made_when_they_are_read(cast: Cast, at_gate: Run) -> None:
    deliver()
    row = Notification.objects.filter(kind="decide").latest("id")
    with translation.override("en"):
        assert wording.text_of(row) == "Decide on One"
    assert row.data["thing"] == "One"
