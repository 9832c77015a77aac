import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.data.synthetic import write_synthetic
from rrnn_lit.evaluation.evaluate import choose_sentences, evaluate
from rrnn_lit.evaluation.report_numbers import FIGURES, by_length, estimate
from rrnn_lit.evaluation.report_subjects import open_subjects
from rrnn_lit.training.metric_keys import COUNTS
from rrnn_lit.words.vectors import WordVectors
from tests.codec.parts import tiny_parts
from tests.evaluation.reports import CPU
from tests.training.made_runs import make_run


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    write_bundle(tiny_parts(compressor=True), folder)
    return folder


def test_a_bundle_is_measured_on_the_data_named(bundle: Path, prepared_folder: Path) -> None:
    (subject,), data = open_subjects([bundle], prepared_folder, "best")
    assert (subject.name, subject.path, subject.config) == ("tiny", bundle, {})
    assert subject.parts.compressor is not None
    assert data.folder == prepared_folder


def test_a_bundle_without_data_is_refused(bundle: Path) -> None:
    message = f"--data: wanted a prepared folder, since {bundle} names none; got nothing"
    with pytest.raises(ValueError, match=message):
        open_subjects([bundle], None, "best")


def test_data_with_another_dictionary_are_refused_by_name(bundle: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_synthetic(other, num_words=60)
    message = f"{other}: wanted the dictionary of {bundle}, 71 words, got another one of 81 words"
    with pytest.raises(ValueError, match=message):
        open_subjects([bundle], other, "best")


def test_the_same_words_with_other_vectors_are_another_dictionary(
    prepared_folder: Path, tmp_path: Path
) -> None:
    parts = tiny_parts()
    vectors = np.array(parts.word_vectors.vectors_VW)
    vectors[3] += np.float16(0.5)
    other = replace(parts, word_vectors=WordVectors(parts.word_vectors.words, vectors))
    write_bundle(other, tmp_path / "other")
    with pytest.raises(ValueError, match="got another one of 71 words"):
        open_subjects([tmp_path / "other"], prepared_folder, "best")


def test_models_of_one_name_are_told_apart(
    bundle: Path, prepared_folder: Path, tmp_path: Path
) -> None:
    second = tmp_path / "tiny"
    write_bundle(tiny_parts(), second)
    subjects, _ = open_subjects([bundle, second], prepared_folder, "best")
    assert [subject.name for subject in subjects] == [str(bundle), str(second)]


@pytest.mark.parametrize("with_data", [True, False])
def test_a_folder_that_holds_no_model_is_refused(
    prepared_folder: Path, tmp_path: Path, with_data: bool
) -> None:
    with pytest.raises(ValueError, match="wanted the folder of a run or of a bundle"):
        open_subjects([tmp_path], prepared_folder if with_data else None, "best")


@pytest.mark.parametrize("name", ["", "3", "[a]"])
def test_a_config_without_a_folder_of_data_asks_for_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.yaml").write_text(f"data:\n  folder: {name}\n")
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(ValueError, match="--data: wanted a prepared folder"):
        open_subjects([tmp_path], None, "best")


def test_data_named_relative_to_the_run_are_found_from_anywhere(
    prepared_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(prepared_folder, tmp_path / "data")
    runs = [
        make_run(tmp_path / "runs" / name, prepared_folder, tiny_parts(), named="data")
        for name in ("first", "second")
    ]
    subjects, data = open_subjects(runs, None, "best")
    assert [subject.name for subject in subjects] == ["first", "second"]
    assert data.folder == tmp_path / "data"


@pytest.mark.parametrize("split", ["tune", "test"])
def test_a_run_is_counted_as_in_its_summary(straight_run: Path, split: str) -> None:
    (subject,), data = open_subjects([straight_run], None, "last")
    store = data.store(split)
    found = evaluate(subject.parts, store, choose_sentences(store, 12, None), 16, CPU)["plain"]
    summary = json.loads((straight_run / "summary.json").read_text(encoding="utf-8"))
    wanted = summary["splits"][split]
    assert {name: int(found.counts[name].sum()) for name in COUNTS} == {
        name: wanted[name] for name in COUNTS
    }
    for figure in FIGURES:
        assert estimate(found, figure).value == pytest.approx(wanted[figure.key], abs=1e-6)
    rows = by_length(found)
    assert [row["longest"] for row in rows] == wanted["by_length"]["length"]
    for name, key in (("matched_words", "num_words"), ("exact_sentences", "num_sentences")):
        assert [row[name].part for row in rows] == wanted["by_length"][name]
        assert [row[name].whole for row in rows] == wanted["by_length"][key]
    assert subject.config["data"]["batch_size"] == 8
    assert subject.parts.facts["steps"] == 10
