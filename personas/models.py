"""People, their personas and tokens; the ledger, the receipts and the outbox."""

import hashlib
import uuid
from datetime import timedelta
from typing import ClassVar

import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from personas.calendars import Calendar, week_of

APPEND_ONLY = pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)


class BatonNow(models.Func):
    """The database's clock, which a simulation may offset; never the host's."""

    function = "baton_now"
    template = "%(function)s()"
    output_field = models.DateTimeField()


class Clock(models.Model):
    """The one row that baton_now() reads; the offset is zero but in a simulation database.

    A trigger of the migrations refuses to move the clock of a database whose name says nothing of
    a simulation.
    """

    offset = models.DurationField()
    simulation = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(id=1), name="clock_is_one_row"),
            models.CheckConstraint(
                condition=models.Q(simulation=True) | models.Q(offset=timedelta(0)),
                name="only_simulations_move_time",
            ),
        )

    def __str__(self) -> str:
        return f"offset {self.offset}"


class Persona(models.Model):
    """One of the kinds of people, with its expertise ranges (0-100 points)."""

    code = models.CharField(max_length=8, primary_key=True)
    title = models.CharField(max_length=60)
    lane = models.PositiveSmallIntegerField()
    ml_low = models.PositiveSmallIntegerField()
    ml_high = models.PositiveSmallIntegerField()
    ml_point = models.PositiveSmallIntegerField()
    deployment_low = models.PositiveSmallIntegerField()
    deployment_high = models.PositiveSmallIntegerField()
    deployment_point = models.PositiveSmallIntegerField()
    cares_for = models.CharField(max_length=200)

    class Meta:
        ordering = ("lane",)

    def __str__(self) -> str:
        return self.title


class BusinessCalendar(models.Model):
    """When a persona works: deadlines and reminders count only this time (see calendars.py).

    `hours` holds spans such as "09:00-17:00" by weekday (mon to sun).
    """

    persona = models.OneToOneField(
        Persona, on_delete=models.CASCADE, primary_key=True, related_name="calendar"
    )
    zone = models.CharField(max_length=60, default="UTC")
    hours = models.JSONField(default=dict)
    holidays = ArrayField(models.DateField(), default=list, blank=True)

    class Meta:
        ordering = ("persona__lane",)

    def __str__(self) -> str:
        return f"calendar of {self.persona_id}"

    def calendar(self) -> Calendar:
        """Return it as what deadlines are counted with. Raises ValueError for bad hours."""
        return Calendar(self.zone, week_of(self.hours), frozenset(self.holidays))


class UserManager(BaseUserManager["User"]):
    """Creates people; names are matched without regard to case."""

    def create_user(
        self, username: str, *, password: str | None = None, **fields: object
    ) -> "User":
        """Create a person who can sign in with `password`, or not at all where it is None."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, password: str | None = None, **fields: object
    ) -> "User":
        """Create an administrator of the console."""
        fields.update(is_staff=True, is_superuser=True)
        return self.create_user(username, password=password, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the person of this login name, in any case."""
        return self.get(username__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, or a service account, who can act in Baton."""

    username = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    is_service = models.BooleanField(default=False)
    personas = models.ManyToManyField(Persona, related_name="people", blank=True)
    capabilities = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    time_zone = models.CharField(max_length=60, default="UTC")
    language = models.CharField(
        max_length=8, blank=True, default="", db_default="", help_text="empty: as the browser asks"
    )
    ml_point = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="0-100; null: their persona's point"
    )
    deployment_point = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="0-100; null: their persona's point"
    )
    sign_outs = models.PositiveIntegerField(
        default=0, db_default=0, help_text="how often every session was ended; part of their hash"
    )
    joined_at = models.DateTimeField(db_default=BatonNow())
    tour_closed_at = models.DateTimeField(null=True)

    objects = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(Lower("username"), name="username_any_case"),
            models.CheckConstraint(
                condition=models.Q(ml_point=None) | models.Q(ml_point__lte=100), name="ml_to_100"
            ),
            models.CheckConstraint(
                condition=models.Q(deployment_point=None) | models.Q(deployment_point__lte=100),
                name="deployment_to_100",
            ),
        )

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def stream(self) -> tuple[str, str]:
        """Return the name of the person's stream of events."""
        return "person", str(self.pk)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what a session must hold: of the password and of how often all were ended."""
        if not self.sign_outs:
            return str(super()._get_session_auth_hash(secret=secret))  # type: ignore[misc]
        known = f"{self.password}:{self.sign_outs}"
        return salted_hmac(
            "personas.User.sessions", known, secret=secret, algorithm="sha256"
        ).hexdigest()

    def can(self, capability: str) -> bool:
        """Whether this person holds the capability, by name."""
        return self.is_active and capability in self.capabilities


class Token(models.Model):
    """A bearer token: only its hash is kept, and it can do only what its scopes say."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=20), default=list)
    created_at = models.DateTimeField(db_default=BatonNow())
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def hash(secret: str) -> str:
        """Return the digest a token is kept under; 256 random bits need no salt."""
        return hashlib.sha256(secret.encode()).hexdigest()


class Stream(models.Model):
    """The head of an ordered, hash-chained series of events."""

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=80)
    seq = models.PositiveBigIntegerField(default=0)
    head = models.CharField(max_length=64, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "key"), name="one_head_per_stream"),)

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


class Event(models.Model):
    """An immutable fact: who did what to which, when, under which command."""

    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveBigIntegerField()
    type = models.CharField(max_length=60)
    actor_kind = models.CharField(max_length=10)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(max_length=120)
    command = models.UUIDField()
    at = models.DateTimeField()
    subject = models.CharField(max_length=40)
    subject_id = models.BigIntegerField(null=True)
    before = models.CharField(max_length=24, blank=True)
    after = models.CharField(max_length=24, blank=True)
    data = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("stream", "seq"), name="event_seq"),)
        indexes = (
            models.Index(fields=("at",), name="event_at"),
            models.Index(fields=("actor", "at"), name="event_actor_at"),
        )
        triggers = (APPEND_ONLY,)

    def __str__(self) -> str:
        return f"{self.stream_id}#{self.seq} {self.type}"


class Checkpoint(models.Model):
    """A seal over the heads of all streams, chained to the one before; made every minute."""

    at = models.DateTimeField(db_default=BatonNow())
    streams = models.PositiveIntegerField()
    root = models.CharField(max_length=64)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    heads = models.JSONField(default=dict)

    class Meta:
        triggers = (APPEND_ONLY,)

    def __str__(self) -> str:
        return f"seal {self.digest[:12]} over {self.streams} streams"


class Receipt(models.Model):
    """What a command answered, so that its repetition gets the same answer and has no effect."""

    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=200)
    name = models.CharField(max_length=60)
    request = models.CharField(max_length=64)
    response = models.JSONField(null=True)
    command = models.UUIDField(default=uuid.uuid4)
    at = models.DateTimeField(db_default=BatonNow())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("actor", "key"), name="one_receipt"),)

    def __str__(self) -> str:
        return f"{self.name} {self.key}"


class Outbox(models.Model):
    """A side effect to do after commit: written with its event, done at least once."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="+")
    topic = models.CharField(max_length=60)
    created_at = models.DateTimeField(db_default=BatonNow())
    due_at = models.DateTimeField(db_default=BatonNow())
    sent_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("due_at",),
                name="outbox_open",
                condition=models.Q(sent_at=None, dead_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.topic} of event {self.event_id}"
