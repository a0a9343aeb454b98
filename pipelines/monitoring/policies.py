"""Who may see and answer alerts."""

from django.db.models import QuerySet

from personas.errors import NotAllowed
from personas.models import User
from pipelines.monitoring.models import Alert
from pipelines.usecases import policies as usecases


def visible(user: User) -> QuerySet[Alert]:
    """Return the alerts of the use cases that this person may know of."""
    return Alert.objects.filter(model__use_case__in=usecases.visible(user))


def not_answering(user: User, alert: Alert) -> NotAllowed | None:
    """Why the person may not answer the alert, or None: its persona, or who runs serving."""
    held = set(usecases.personas_of(user, alert.model.use_case_id))
    if held & {alert.persona_id, "MLE"} or user.can("operations.manage"):
        return None
    return NotAllowed(
        "alert.answer", f"Answering this alert takes a seat as {alert.persona_id} or MLE."
    )
