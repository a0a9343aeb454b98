"""What people are told, how they wish to be told, and the mails that went out."""

from django.db import models

from personas.models import BatonNow, Event, User
from pipelines.notifications import kinds
from pipelines.notifications.schedule import Habits
from pipelines.usecases.models import UseCase


class Mail(models.Model):
    """One mail to one person: made once, tried until it is taken, dead after some tries."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=BatonNow())
    due_at = models.DateTimeField(db_default=BatonNow())
    sent_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("due_at",),
                name="mail_open",
                condition=models.Q(sent_at=None, dropped_at=None, dead_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"mail {self.pk} to {self.user_id}"


class Notification(models.Model):
    """An event as one person is told of it; its words are made when it is read.

    `noun` and `noun_id` say where it leads, `data` the few names that its words need. With
    `mail_due_at` it also goes out by mail (`mode`), once: as part of `mail`.
    """

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="notifications", db_index=False
    )
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=[(kind, kind) for kind in kinds.KINDS])
    use_case = models.ForeignKey(UseCase, on_delete=models.CASCADE, null=True, related_name="+")
    noun = models.CharField(max_length=20)
    noun_id = models.CharField(max_length=120)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mode = models.CharField(max_length=8, blank=True)
    mail_due_at = models.DateTimeField(null=True)
    mail = models.ForeignKey(Mail, on_delete=models.SET_NULL, null=True, related_name="lines")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=("user", "event"), name="told_once_of_an_event"),
        )
        indexes = (
            models.Index(fields=("user", "-id"), name="notification_user"),
            models.Index(
                fields=("user", "-id"),
                condition=models.Q(read_at=None),
                name="notification_unread",
            ),
            models.Index(
                fields=("mail_due_at",),
                condition=models.Q(mail=None, mail_due_at__isnull=False),
                name="notification_to_mail",
            ),
            models.Index(fields=("created_at",), name="notification_age"),
        )

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}: event {self.event_id}"


class Preferences(models.Model):
    """How a person wishes to be told by mail; who has no row is told as the defaults say."""

    user = models.OneToOneField(
        User,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="notification_preferences",
    )
    mail = models.BooleanField(default=True)
    by_kind = models.JSONField(default=dict)
    digest_hour = models.PositiveSmallIntegerField(default=8)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(digest_hour__lt=24), name="digest_hour"),
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_whole",
            ),
        )

    def __str__(self) -> str:
        return f"preferences of {self.user_id}"

    def mode(self, kind: str) -> str:
        """Return how a kind goes out by mail."""
        return str(self.by_kind.get(kind, kinds.DEFAULTS[kind])) if self.mail else kinds.OFF

    def habits(self, zone: str) -> Habits:
        """Return when the person reads, given their time zone."""
        return Habits(zone, self.digest_hour, self.quiet_from, self.quiet_until)
