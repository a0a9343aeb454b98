"""The API's schema: no warning, the snapshot in openapi.yaml, and a document for each address."""

import re
from pathlib import Path

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from drf_spectacular.validation import validate_schema

SNAPSHOT = Path(__file__).with_name("openapi.yaml")
DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module")
def schema() -> dict[str, object]:
    """The schema as it is now."""
    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        return SchemaGenerator().get_schema(request=None, public=True)


def test_it_is_made_without_a_warning(schema: dict[str, object]) -> None:
    assert GENERATOR_STATS._warn_cache == {}
    assert GENERATOR_STATS._error_cache == {}
    validate_schema(schema)
    assert str(schema["openapi"]).startswith("3.1")


def test_it_is_the_snapshot(schema: dict[str, object]) -> None:
    """A change of the API shows in a diff: `manage.py spectacular --file <snapshot>` takes it."""
    now = OpenApiYamlRenderer().render(schema).decode()
    assert now == SNAPSHOT.read_text(encoding="utf-8"), (
        "the API has changed; if that is meant: manage.py spectacular"
        " --file tests/contracts/openapi.yaml"
    )


def test_every_address_is_documented(schema: dict[str, dict[str, object]]) -> None:
    text = re.sub(r"\{[a-z]+\}", "{}", DOCUMENT.read_text(encoding="utf-8"))
    paths = {re.sub(r"\{[a-z]+\}", "{}", path) for path in schema["paths"]}
    missing = sorted(p for p in paths if f"`{p.removeprefix('/api/v1/')}`" not in text)
    assert missing == []
