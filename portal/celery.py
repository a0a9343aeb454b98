"""The Celery application of the worker: it lends processes, PostgreSQL keeps the facts."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from portal import embedded

embedded.ensure_configured()

app = Celery("baton")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["pipelines.runs"], related_name="jobs")
