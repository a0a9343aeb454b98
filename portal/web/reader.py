"""Pages in the language and the time zone of who reads them.

The person's own settings, else what the browser asks for, in UTC. The API answers in English and
in UTC, whoever asks.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from personas.models import User

UTC: Final = ZoneInfo("UTC")
# What programs ask; a probe must not ask the database who looks.
PROGRAMS: Final = ("/api/", "/healthz", "/readyz", "/metrics", "/events/")


class Reader:
    """Activates language and time zone for as long as the request takes; after authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the reader's language."""
        if request.path_info.startswith(PROGRAMS):
            with translation.override(settings.LANGUAGE_CODE), timezone.override(UTC):
                return self.get_response(request)
        person = _person(request)
        language = language_of(request, person)
        with translation.override(language), timezone.override(zone_of(person)):
            answer = self.get_response(request)
        answer.headers.setdefault("Content-Language", language)
        patch_vary_headers(answer, ["Accept-Language"])
        return answer


def language_of(request: HttpRequest, person: User | None) -> str:
    """Return the code of the language to answer in: one of settings.LANGUAGES."""
    if person is not None and person.language in dict(settings.LANGUAGES):
        return person.language
    return translation.get_language_from_request(request)


def zone_of(person: User | None) -> ZoneInfo:
    """Return the person's time zone; UTC for strangers, and for a name that is no zone."""
    return _zone(person.time_zone) if person is not None else UTC


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def _person(request: HttpRequest) -> User | None:
    """Return who is signed in; nobody while the database is away, which the view then says."""
    try:
        return request.user if isinstance(request.user, User) else None
    except (DatabaseError, InterfaceError):
        return None
