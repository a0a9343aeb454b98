"""The Celery job: a poke. It carries no work; the claim does."""

from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down
from celery.worker import state
from django.conf import settings
from kombu.asynchronous import get_event_loop

from pipelines.runs import worker

RELEASE_GRACE = 10.0  # seconds for the lanes to hand their leases back
REARM_SECONDS = 0.002
REARM_TRIES = 100


@shared_task(name="poke", ignore_result=True)
def poke(queue: str = "", hint: int = 0, *_later: object) -> None:
    """Perform what is queued; queue and hint only say why we were woken."""
    try:
        worker.current().drain()
    finally:
        _listen_again()


def _listen_again() -> None:
    """Let Celery's loop ask Redis for the next poke as soon as this thread is free.

    While all threads are busy it does not ask (so that an idle worker is woken instead), and by
    itself it looks again only once a second: pokes piled up, and steps started a second late.
    """
    loop: Any = get_event_loop()
    if loop is not None:
        loop.call_soon(_rearm, REARM_TRIES)


def _rearm(tries: int) -> None:
    """In the loop's thread: every turn of the loop re-arms, so turn until a thread is free."""
    loop: Any = get_event_loop()
    if loop is not None and tries and len(state.reserved_requests) >= settings.WORKER_THREADS:
        loop.call_later(REARM_SECONDS, _rearm, tries - 1)


@worker_ready.connect
def _warm(**_kwargs: object) -> None:
    worker.current()


@worker_shutting_down.connect
def _hand_back(**_kwargs: object) -> None:
    worker.shut_down(grace=RELEASE_GRACE)
