"""Columns of texts as features: weights as scikit-learn's, every family, bad input said."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score

from pipelines import catalogue
from pipelines.operations.contract import Context, OperationError, clean_params
from pipelines.operations.learning import store
from pipelines.operations.learning.definition import FeatureSet, from_json
from pipelines.operations.learning.families import build, encode
from pipelines.operations.learning.settings import TEXT_FAMILIES
from pipelines.operations.learning.texts import KeywordRule, TermWeights, Texts, Topics
from pipelines.operations.learning.training import Training, open_training
from pipelines.operations.learning.transformers import BadValueError
from pipelines.operations.learning.words import MAX_TEXT, words
from pipelines.operations.rowwise.compile import compile_pipeline, largest_difference
from pipelines.operations.tables import read_document, write_document, write_table
from tests.unit.operations import texts as tables
from tests.unit.operations.running import perform

cells = st.lists(st.text(max_size=30), min_size=4, max_size=12)


def column(values: list[str]) -> np.ndarray:
    found = np.empty((len(values), 1), dtype=object)
    found[:, 0] = values
    return found


def reference(least: int = 2) -> TfidfVectorizer:
    return TfidfVectorizer(
        tokenizer=words, token_pattern=None, lowercase=False, ngram_range=(1, 2),
        min_df=least, sublinear_tf=True,
    )  # fmt: skip


def test_weights_are_those_of_scikit_learn() -> None:
    learned, new = (list(tables.reviews(200, seed=s)["review"]) for s in (1, 2))
    theirs = reference().fit(learned)
    mine = TermWeights().fit(column(learned))
    assert mine.terms_.split("\n") == list(theirs.get_feature_names_out())
    for rows in (learned, [*new, "", "nothing known"]):
        expected = theirs.transform(rows).toarray()
        np.testing.assert_allclose(mine.transform(column(rows)).toarray(), expected, atol=1e-14)


@settings(max_examples=40, deadline=None)
@given(cells)
def test_weights_of_nasty_texts(values: list[str]) -> None:
    doubled = [*values, *values]
    try:
        expected = reference().fit_transform(doubled).toarray()
    except ValueError:
        with pytest.raises(OperationError, match="no word"):
            TermWeights().fit(column(doubled))
        return
    found = TermWeights().fit(column(doubled)).transform(column(doubled)).toarray()
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_only_the_most_frequent_terms_are_kept() -> None:
    weights = TermWeights(max_terms=2).fit(column(["a1 b1", "a1 b1", "a1 c1", "c1 b1", "a1"]))
    assert weights.terms_ == "a1\nb1"


def test_keywords_and_their_shares() -> None:
    values = ["good tea"] * 40 + ["good"] * 20 + ["tea"] * 60 + ["bad tea"] * 80
    labels = np.asarray([1] * 60 + [0] * 140)
    rule = KeywordRule().fit(column(values), labels)
    assert rule.keywords_ == "good"
    found = rule.predict_proba(column(["good", "tea", ""]))[:, 1]
    assert found[0] == pytest.approx((60 + 20 * 0.3) / 80)
    assert found[1] == found[2] == pytest.approx((20 * 0.3) / 160)


def test_topics_are_fewer_where_terms_are_few() -> None:
    weights = TermWeights().fit_transform(column(["a1 b1", "a1", "b1 a1", "b1"]))
    assert Topics(50, 0).fit(weights).components_.shape[0] == 1


@pytest.mark.parametrize("family", TEXT_FAMILIES)
@pytest.mark.parametrize("beside", [True, False])
def test_every_family_learns_saves_and_has_a_row_form(
    family: str, beside: bool, tmp_path: Path
) -> None:
    path = tables.write_model(tmp_path, family, beside=beside)
    model, later = store.load(path), tables.reviews(200, seed=5)
    frame = later[tables.definition(beside=beside).names].copy()
    frame.loc[0, "review"] = None
    frame.loc[1, "review"] = "words nobody knows"
    scores = model.predict_proba(frame)
    assert roc_auc_score(later["praise"], scores[:, 1]) > 0.75
    scorer = compile_pipeline(model, frame)
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    assert largest_difference(scorer, rows, scores) <= 1e-12


@pytest.mark.parametrize("family", ["text_svc", "text_boosting"])
def test_equal_content_gives_equal_files(family: str, tmp_path: Path) -> None:
    paths = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        paths.append(tables.write_model(tmp_path / name, family))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_families_that_do_not_fit_are_refused() -> None:
    with_texts = tables.definition()
    without = FeatureSet("praise", (False, True), with_texts.columns[:2])
    for family, features in (("boosting", with_texts), ("text_linear", without)):
        with pytest.raises(OperationError) as refused:
            build(family, features, {}, 0)
        assert refused.value.code == "family_does_not_fit"
    build("dummy", with_texts, {}, 0)


def test_the_definition_keeps_role_and_group_and_old_ones_their_digest() -> None:
    features = tables.definition()
    assert from_json(json.loads(json.dumps(features.as_json()))) == features
    assert "group" not in FeatureSet("praise", (0, 1), features.columns).as_json()


def test_what_is_no_text_is_refused_by_column_and_value() -> None:
    frame = pd.DataFrame({"review": pd.Series(["fine", 7], dtype=object)})
    with pytest.raises(BadValueError, match="column review: 7 is not a text"):
        Texts().fit(frame).transform(frame)


def test_long_texts_are_cut_alike_in_training_and_serving(tmp_path: Path) -> None:
    frame = pd.DataFrame({"review": ["tail " * 300_000]})
    assert len(Texts().fit(frame).transform(frame)[0, 0]) == MAX_TEXT
    model = store.load(tables.write_model(tmp_path, "text_linear", beside=False))
    long = pd.DataFrame({"review": ["great " * 5_000 + "stale " * 100_000]})
    scorer = compile_pipeline(model, long)
    assert largest_difference(scorer, long.to_dict("records"), model.predict_proba(long)) < 1e-12


# --- build_features -----------------------------------------------------------------------


def built(tmp_path: Path, frame: pd.DataFrame | None = None, **params: object):
    params = {"target": "praise", "find_texts": True, "group_column": "author"} | params
    return perform("build_features", tmp_path, tables.write_reviews(tmp_path, frame), **params)


def test_prose_is_found_and_tested(tmp_path: Path) -> None:
    done = built(tmp_path)
    roles = {row["column"]: row["role"] for row in done.facts["columns"]}
    assert roles == {"review": "text", "stars": "number", "shop": "category"}
    assert done.facts["tests_failed"] == 0
    assert done.facts["group"]["column"] == "author"
    features = from_json(read_document(done.outputs["features"]))
    assert features.group == "author"


def test_without_being_asked_prose_stays_what_it_was(tmp_path: Path) -> None:
    done = built(tmp_path, find_texts=False, exclude=["stars"])
    assert [row["column"] for row in done.facts["unmapped"]] == ["review"]


def test_findings_on_empty_and_function_words_and_megabytes(tmp_path: Path) -> None:
    frame = tables.reviews()
    frame.loc[:4, "review"] = ""
    frame.loc[5:7, "review"] = "it is what it is"
    frame.loc[8, "review"] = "word " * 210_000
    frame.loc[9, "review"] = None
    (row,) = built(tmp_path, frame).facts["texts"]
    assert (row["empty"], row["stop_words_only"], row["cut"]) == (6, 3, 1)
    assert row["longest"] == 1_050_000
    assert len(row["findings"]) == 3


def test_a_column_of_numbers_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(
        OperationError, match="'stars', which holds int values, no texts"
    ) as refused:
        built(tmp_path, text_columns=["stars"])
    assert (refused.value.code, refused.value.field) == ("not_a_text", "text_columns")


def test_no_texts_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(OperationError) as refused:
        built(tmp_path, columns=["stars", "shop"])
    assert refused.value.code == "no_texts"


def test_names_are_texts_where_somebody_says_so(tmp_path: Path) -> None:
    done = built(tmp_path, text_columns=["shop"], find_texts=False, exclude=["review"])
    assert {r["column"]: r["role"] for r in done.facts["columns"]}["shop"] == "text"


@pytest.mark.parametrize("text", ["", "the of and", "🙂 🙂 🙂"])
def test_texts_that_say_nothing_end_in_a_clear_answer(text: str, tmp_path: Path) -> None:
    frame = tables.reviews(120)
    frame["review"] = text
    done = built(tmp_path, frame, text_columns=["review"], columns=["review"])
    inputs = {"train": tmp_path / "train.parquet", "features": done.outputs["features"]}
    if words(text):  # every text alike: a model of the base rate
        fitted = perform("train_candidate", tmp_path, inputs, family="text_linear", folds=2)
        assert fitted.facts["scores"]["roc_auc"]["mean"] == 0.5
        return
    with pytest.raises(OperationError, match="no word occurs in two of the texts") as refused:
        perform("train_candidate", tmp_path, inputs, family="text_linear", folds=2)
    assert refused.value.code == "no_words"


def test_non_latin_texts_are_learned_from(tmp_path: Path) -> None:
    frame = tables.reviews(200)
    said = {True: ["とても良い", "素晴らしいお茶"], False: ["ひどい味", "壊れた箱でした"]}
    frame["review"] = [said[liked][n % 2] for n, liked in enumerate(frame["praise"])]
    done = built(tmp_path, frame, text_columns=["review"], columns=["review"])
    inputs = {"train": tmp_path / "train.parquet", "features": done.outputs["features"]}
    fitted = perform("train_candidate", tmp_path, inputs, family="text_svc", folds=2)
    assert fitted.facts["scores"]["roc_auc"]["mean"] > 0.95


# --- groups -------------------------------------------------------------------------------


def opened(tmp_path: Path, frame: pd.DataFrame) -> Training:
    features = write_document(tmp_path / "features.json", tables.definition().as_json())
    spec = catalogue.spec("train_candidate")
    return open_training(
        Context(
            spec=spec,
            folder=tmp_path,
            inputs={"train": write_table(frame, tmp_path / "t.parquet"), "features": features},
            params=clean_params(spec, {"folds": 4}),
            seed=1,
        )
    )


def test_no_author_is_on_both_sides_of_a_fold(tmp_path: Path) -> None:
    frame = tables.reviews()
    found = opened(tmp_path, frame).folds
    tested = np.concatenate([fold.test for fold in found])
    assert sorted(tested) == list(range(len(frame)))
    for fold in found:
        assert not set(frame["author"][fold.train]) & set(frame["author"][fold.test])


def test_folds_need_as_many_groups(tmp_path: Path) -> None:
    with pytest.raises(OperationError, match="author has 1 group") as refused:
        opened(tmp_path, tables.reviews(100).assign(author="one"))
    assert refused.value.code == "too_few_groups_for_folds"


def test_a_draw_of_authors_keeps_the_shares_of_the_classes(tmp_path: Path) -> None:
    """Each author is of one kind: a careless draw would hold out one kind only."""
    frame = tables.reviews(200)
    frame["author"] = [f"author {n // 25}" for n in range(200)]
    frame["praise"] = [n // 25 % 2 == 0 for n in range(200)]
    table = write_table(frame, tmp_path / "t.parquet")
    for seed in range(5):
        facts = perform(
            "split_data", tmp_path, {"table": table}, seed=seed, target="praise",
            group_column="author", holdout_share=0.25,
        ).facts  # fmt: skip
        assert facts["parts"]["holdout"]["classes"] == {"False": 25, "True": 25}
        assert facts["groups_shared"] == 0


def test_one_group_cannot_be_split(tmp_path: Path) -> None:
    table = write_table(tables.reviews().assign(author="one"), tmp_path / "t.parquet")
    with pytest.raises(OperationError, match="one group only") as refused:
        perform("split_data", tmp_path, {"table": table}, target="praise", group_column="author")
    assert refused.value.field == "group_column"


def test_authors_are_proposed_unasked(tmp_path: Path) -> None:
    frame = tables.reviews()
    table = write_table(frame, tmp_path / "t.parquet")
    facts = perform("split_data", tmp_path, {"table": table}, target="praise").facts
    (row,) = facts["groups_proposed"]
    assert row["column"] == "author"
    assert row["on_both_sides"] > 10
    one_each = frame.assign(author=frame["id"].astype(str))
    table = write_table(one_each, tmp_path / "u.parquet")
    facts = perform("split_data", tmp_path, {"table": table}, target="praise").facts
    assert facts["groups_proposed"] == []


def test_a_matrix_with_texts_is_encoded_once() -> None:
    features, frame = tables.definition(), tables.reviews(50)
    _, matrix = encode(features, frame, field="train")
    assert matrix.dtype == object
    assert list(matrix[:, 2]) == list(frame["review"])
