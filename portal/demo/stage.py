"""The stage of the play: a demo database with its people, their tokens and the blueprints."""

from datetime import timedelta
from typing import Final

from django.conf import settings

from personas.actions import create_user, issue_token
from personas.ledger import ENGINE, Actor
from personas.models import User
from pipelines.blueprints.shipped import shipped_keys, shipped_text
from pipelines.runs.models import Run
from pipelines.usecases.actions import publish_blueprint
from pipelines.usecases.models import UseCase
from portal.demo.cast import PASSWORD, PLAYERS

SCOPES: Final = ("read", "write", "decide", "predict", "labels")
TOKEN_LIFE: Final = timedelta(days=2)


class NoDemoDatabase(Exception):
    """The database has people of its own; demo logins are not put among them."""


def found() -> str:
    """Return a sentence on what the database holds before the play."""
    cases, runs = UseCase.objects.count(), Run.objects.count()
    if not cases:
        return "A new database: nothing has been played here yet."
    return f"Found {cases} use cases with {runs} runs from before; they stay, a new one is played."


def prepare() -> dict[str, str]:
    """Make people and blueprints that are missing; return a fresh token for each persona.

    Raises NoDemoDatabase where others than the demo's people exist.
    """
    others = User.objects.exclude(username__in=[player.login for player in PLAYERS])
    if others.exists():
        raise NoDemoDatabase(
            "This database has people of its own, so no demo logins are made in it. Set BATON_VAR"
            " (or DATABASE_URL) to an empty place."
        )
    (settings.VAR / "demo").touch()
    tokens = {}
    for player in PLAYERS:
        user = User.objects.filter(username=player.login).first()
        if user is None:
            create_user(
                actor=ENGINE,
                username=player.login,
                name=player.name,
                password=PASSWORD,
                personas=[player.persona],
                capabilities=player.capabilities,
            )
            User.objects.filter(username=player.login).update(is_staff=player.console)
            user = User.objects.get(username=player.login)
        _, tokens[player.persona] = issue_token(
            actor=Actor.person(user),
            user=user,
            name="the play",
            scopes=SCOPES,
            lifetime=TOKEN_LIFE,
        )
    for key in shipped_keys():
        publish_blueprint(actor=ENGINE, source=shipped_text(key))
    return tokens
