"""The Celery application: it lends processes and carries pokes, PostgreSQL keeps the facts.

Worker and engine use it; `portal.apps` imports it so that `celery.current_app` is this one.
"""

import os

from celery import Celery
from celery.signals import celeryd_init

from portal import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("baton")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["pipelines.runs"], related_name="jobs")


def start_servers(**_: object) -> None:
    """A worker started by Celery's own command needs the servers as manage.py does."""
    embedded.ensure_configured()


celeryd_init.connect(start_servers)
