"""Files that are made for who asks: on disk while they are sent, gone afterwards."""

import tempfile

from django.http import FileResponse

from pipelines.exports import mlflow_folder
from pipelines.registry.models import ModelVersion

IN_MEMORY = 8 * 1024 * 1024  # bytes; larger ones go to disk


def mlflow_file(version: ModelVersion) -> FileResponse:
    """Return a version as an MLflow model, zipped. Raises Conflict, StorageError kinds."""
    made = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed once sent
    try:
        mlflow_folder.write(version, made)
    except BaseException:
        made.close()
        raise
    made.seek(0)
    return FileResponse(
        made,
        as_attachment=True,
        filename=mlflow_folder.name_of(version),
        content_type="application/zip",
    )
