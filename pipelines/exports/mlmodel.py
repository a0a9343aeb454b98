"""The texts of an MLflow model folder: MLmodel, requirements, environments. Pure.

MLflow reads YAML; JSON is YAML, and escapes whatever a column may be called.
"""

import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

LOADER: Final = "baton_pyfunc"
CODE, DATA = "code", "data"
# By the type of an input; an integer that may be missing is a float in a table.
TYPES: Final = {
    "integer": "long",
    "number": "double",
    "string": "string",
    "boolean": "boolean",
    "datetime": "datetime",
}
SPACE: Final = uuid.UUID("3b0d9c57-6b5e-5a0c-8f3e-6f0a8c2d1e44")


def mlmodel(
    *,
    name: str,
    digest: str,
    signature: Mapping[str, Any],
    classes: Any,
    environment: Mapping[str, Any],
    created: str,
    metadata: Mapping[str, Any],
) -> str:
    """Return the text of the file MLmodel; equal versions have an equal one."""
    document = {
        "artifact_path": name,
        "flavors": {
            "python_function": {
                "code": CODE,
                "data": DATA,
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
                "loader_module": LOADER,
                "python_version": str(environment.get("python", "")),
            }
        },
        "model_uuid": uuid.uuid5(SPACE, digest).hex,
        "utc_time_created": created,
        "signature": {
            "inputs": _text([_input(one) for one in signature.get("inputs", [])]),
            "outputs": _text(
                [{"type": "double", "name": "score"}, _label(classes), *_more(signature)]
            ),
            "params": None,
        },
        "metadata": dict(metadata),
    }
    return _text(document, indent=1) + "\n"


def _text(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False)


def _input(column: Mapping[str, Any]) -> dict[str, Any]:
    kind, nullable = str(column["type"]), bool(column.get("nullable", True))
    shown = "double" if kind == "integer" and nullable else TYPES[kind]
    return {"type": shown, "name": column["name"], "required": True}


def _label(classes: Any) -> dict[str, str]:
    """The type of the label: that of the classes, or of the value where there are none."""
    first = classes[0] if isinstance(classes, list) and classes else 0.0
    kinds = {bool: "boolean", int: "long", float: "double"}
    return {"type": kinds.get(type(first), "string"), "name": "label"}


def _more(signature: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Outputs beside score and label: probabilities of several classes, rows left to people."""
    return [
        {"type": TYPES[str(one["type"])], "name": one["name"], "required": one["name"] != "reason"}
        for one in signature.get("outputs", [])
        if str(one["name"]).startswith("p:") or one["name"] in ("abstained", "reason")
    ]


def requirements(environment: Mapping[str, Any]) -> list[str]:
    """Return the pins on which the scores depend, as they were when it was packed."""
    packages = environment.get("packages") or {}
    return [f"{name}=={version}" for name, version in sorted(packages.items())]


def python_env(environment: Mapping[str, Any]) -> str:
    """Return the text of python_env.yaml."""
    found = {
        "python": str(environment.get("python", "")),
        "build_dependencies": ["pip"],
        "dependencies": ["-r requirements.txt"],
    }
    return _text(found, indent=1) + "\n"


def conda(name: str, environment: Mapping[str, Any]) -> str:
    """Return the text of conda.yaml."""
    python = str(environment.get("python", ""))
    found = {
        "name": name,
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": requirements(environment)}],
    }
    return _text(found, indent=1) + "\n"
