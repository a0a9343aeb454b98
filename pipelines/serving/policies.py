"""Who may report outcomes."""

from personas.errors import NotAllowed
from personas.models import User
from pipelines.registry.models import Model
from pipelines.usecases import policies as usecases


def not_labelling(user: User, model: Model) -> NotAllowed | None:
    """Why the person may not report outcomes of the model, or None."""
    if user.is_active and (user.is_service or usecases.personas_of(user, model.use_case_id)):
        return None
    return NotAllowed("model.label", f"{user} has no seat on the use case of {model}.")
