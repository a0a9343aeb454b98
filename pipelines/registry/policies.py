"""Who may roll back and retire models."""

from django.db.models import QuerySet

from personas.errors import NotAllowed
from personas.models import User
from pipelines.registry.models import Model
from pipelines.usecases import policies as usecases

ROLLING_BACK = ("OPS", "MLE")  # who runs it and who owns serving (catalogue 5, S8 and S9)


def visible(user: User) -> QuerySet[Model]:
    """Return the models of the use cases that this person may know of."""
    return Model.objects.filter(use_case__in=usecases.visible(user))


def not_rolling_back(user: User, model: Model) -> NotAllowed | None:
    """Why the person may not roll back, or None. Quick by design: no second person is asked."""
    if user.can("operations.manage"):
        return None
    if set(usecases.personas_of(user, model.use_case_id)) & set(ROLLING_BACK):
        return None
    return NotAllowed(
        "model.roll_back", f"Rolling back {model} takes a seat as {' or '.join(ROLLING_BACK)}."
    )


def not_retiring(user: User, model: Model) -> NotAllowed | None:
    """Why the person may not retire the model, or None: the business analyst decides (S12)."""
    if "BA" in usecases.personas_of(user, model.use_case_id):
        return None
    return NotAllowed("model.retire", f"Retiring {model} takes a seat as BA.")


def not_predicting(user: User, model: Model) -> NotAllowed | None:
    """Why the person may not ask the model, or None; service accounts may ask every model."""
    if user.is_active and (user.is_service or usecases.may_see(user, model.use_case)):
        return None
    return NotAllowed("model.predict", f"{user} has no seat on the use case of {model}.")
