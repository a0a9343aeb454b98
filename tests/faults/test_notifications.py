"""Real engines that are killed while they tell people: nobody is told twice, nobody left out."""

from pathlib import Path

import pytest

from personas.models import BatonNow, Outbox, User
from pipelines.notifications.models import Mail, Notification
from pipelines.runs.actions import item_moves
from tests.cast import Cast, acting
from tests.domain import engine as f
from tests.faults.processes import Processes, until
from tests.long import only_long

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180), only_long]
EVENTS = 60


def test_engines_killed_meanwhile_tell_everybody_once_and_write(
    cast: Cast, processes: Processes, tmp_path: Path
) -> None:
    User.objects.filter(pk=cast.sofia.pk).update(email="sofia@example.org")
    made = f.run(cast, f.stage("s", "DS", items=[f.form(f"n{n}") for n in range(EVENTS)]))
    for item in made.items.all():
        item_moves.assign(actor=acting(cast.priya), item=item, to=cast.sofia, reason="now")
    folder = tmp_path / "mail"
    folder.mkdir()
    mine = Notification.objects.filter(user=cast.sofia, kind="given")
    address = {"EMAIL_URL": f"filemail://{folder}"}
    first = processes.engine(**address)
    until(mine.exists, what="the first engine has begun to tell")
    first.kill()
    # As if it had died before its last commit: all is to be told once more.
    Outbox.objects.update(sent_at=None, due_at=BatonNow())
    for engine in (processes.engine(**address), processes.engine(**address)):
        assert engine.poll() is None
    until(lambda: not Outbox.objects.filter(sent_at=None).exists(), what="all is told")
    assert mine.count() == EVENTS
    assert mine.values("event").distinct().count() == EVENTS
    Notification.objects.filter(mail=None, mail_due_at__isnull=False).update(mail_due_at=BatonNow())
    until(lambda: Mail.objects.filter(sent_at__isnull=False).exists(), what="a mail went out")
    assert Mail.objects.filter(user=cast.sofia).count() == 1
    assert len(list(folder.iterdir())) == 1
