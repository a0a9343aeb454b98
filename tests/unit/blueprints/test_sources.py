"""Every shipped blueprint that is given tables can read through a connection instead."""

from dataclasses import replace

import pytest

from pipelines import catalogue
from pipelines.blueprints.digest import canonical_of, digest_of
from pipelines.blueprints.refs import Ref
from pipelines.blueprints.shipped import shipped, shipped_keys
from pipelines.blueprints.spec import Blueprint

TABLED = [one for one in map(shipped, shipped_keys()) if any(i.key == "tables" for i in one.inputs)]


def test_they_are_the_six_kinds_and_what_is_brought() -> None:
    assert len(TABLED) == 8


@pytest.mark.parametrize("blueprint", TABLED, ids=lambda one: one.key)
def test_files_or_a_connection_reach_the_reading_step(blueprint: Blueprint) -> None:
    assert blueprint.input("tables").connects
    known = {one.key: one for one in blueprint.parameters}
    assert {known[name].kind for name in ("connection", "query", "path")} == {"str"}
    assert not any(known[name].required for name in ("connection", "query", "path"))
    steps = {one.key: one for one in blueprint.stage("source").steps}
    asked = {name: ref.text for name, ref in steps["fetch"].params.items() if isinstance(ref, Ref)}
    assert asked == {"connection": "run.connection", "query": "run.query", "key": "run.path"}
    given = [ref.text for ref in steps["ingest"].inputs["tables"]]
    assert given == ["run.tables", "source.fetch.table"]
    longest = {param.name: param.maximum for param in catalogue.spec("fetch").params}
    assert (known["query"].maximum, known["path"].maximum) == (longest["query"], longest["key"])


def test_a_blueprint_that_connects_nothing_keeps_its_digest() -> None:
    one = TABLED[0]
    bare = replace(one, inputs=tuple(replace(entry, connects=False) for entry in one.inputs))
    assert b'"connects"' not in canonical_of(bare)
    assert digest_of(bare) != digest_of(one)
