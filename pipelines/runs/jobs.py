"""The Celery job: a poke. It carries no work; the claim does."""

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from pipelines.runs import worker

RELEASE_GRACE = 10.0  # seconds for the lanes to hand their leases back


@shared_task(name="poke", ignore_result=True)
def poke(queue: str = "", hint: int = 0, *_later: object) -> None:
    """Perform what is queued; queue and hint only say why we were woken."""
    worker.current().drain()


@worker_ready.connect
def _warm(**_kwargs: object) -> None:
    worker.current()


@worker_shutting_down.connect
def _hand_back(**_kwargs: object) -> None:
    worker.shut_down(grace=RELEASE_GRACE)
