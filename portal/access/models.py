"""Models and alerts."""

from personas.errors import NotFound
from personas.models import User
from pipelines.monitoring import queries as monitoring
from pipelines.monitoring.models import Alert
from pipelines.registry import queries as registry
from pipelines.registry.models import Model, ModelVersion
from pipelines.usecases.models import UseCase
from portal.access.rows import one


def model_for(user: User, name: str) -> Model:
    """Return the model of this name, with its use case and what is deployed. Raises NotFound."""
    found = registry.models(user).filter(name=name).first()
    if found is None:
        raise NotFound("model", f"There is no model {name!r} that you may see.")
    return found


def model_version_for(user: User, name: str, number: int) -> ModelVersion:
    """Return a version of a model, with the model. Raises NotFound."""
    found = registry.versions_of(model_for(user, name)).filter(number=number).first()
    if found is None:
        raise NotFound("model_version", f"There is no version {number} of model {name!r}.")
    return found


def model_to_label_for(user: User, name: str) -> Model:
    """Return the model whose outcomes the person may report: as `model_for`, but any model for a
    service account. Raises NotFound.
    """
    return registry.model_named(name) if user.is_service else model_for(user, name)


def model_of(use_case: UseCase) -> Model | None:
    """Return the model of a use case that was fetched here, or None."""
    return Model.objects.select_related("use_case").filter(use_case=use_case).first()


def alert_for(user: User, pk: int) -> Alert:
    """Return the alert with its model, runs and people. Raises NotFound."""
    return one(monitoring.alerts(user), pk, "alert")
