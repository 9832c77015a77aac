import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rrnn_lit.data.prepare import RefusedFolderError, prepare
from rrnn_lit.data.prepare_lock import folder_lock
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.token_store import SPLITS
from rrnn_lit.words.special import SPECIAL_LABELS
from rrnn_lit.words.whitening import Whitening
from tests.data.conftest import content, make_config, sentences, silent


def texts(folder: Path, split: str) -> list[str]:
    data = PreparedData(folder)
    store = data.store(split)
    ids = (store.sentence(number).tolist() for number in range(store.num_sentences))
    return [" ".join(data.word_vectors.decode(sentence)[:-1]) for sentence in ids]


def split_of(folder: Path) -> dict[str, str]:
    return {text: split for split in SPLITS for text in texts(folder, split)}


@pytest.mark.usefixtures("tiny_shards")
def test_bytes_do_not_depend_on_the_number_of_processes(tmp_path: Path, text_file: Path) -> None:
    prepare(make_config(tmp_path / "one", [text_file], processes=1), silent())
    prepare(make_config(tmp_path / "two", [text_file], processes=2), silent())
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_every_kept_sentence_is_in_exactly_one_split(tmp_path: Path, text_file: Path) -> None:
    prepare(make_config(tmp_path / "out", [text_file], min_count=1), silent())
    stored = [text for split in SPLITS for text in texts(tmp_path / "out", split)]
    raw = set(text_file.read_text().splitlines())
    # "May." and "May" give the same words, nothing else does
    assert len(stored) == len(set(stored)) == len(raw)
    assert "Anna s dog didn't see two maps at the fair" in split_of(tmp_path / "out")


def test_stats_add_up(tmp_path: Path, text_file: Path) -> None:
    prepare(make_config(tmp_path / "out", [text_file], cap=5), silent())
    stats = json.loads((tmp_path / "out" / "stats.json").read_text())
    lines = text_file.read_text().splitlines()
    assert stats["source"]["sentences"] == len(lines) == 600
    assert stats["raw_duplicates"] == len(lines) - len(set(lines)) > 0
    assert stats["steps"]["length"]["in"] == len(set(lines)) == stats["sentences_to_process"]
    left_out = stats["left_out_above_splits_max_sentences"]
    assert left_out["tune"] > 0
    stored = sum(stats["splits"][split]["sentences"] for split in SPLITS)
    kept = stored + sum(left_out.values()) + stats["duplicates_after_processing"]
    assert kept == len(set(lines)) - sum(step["dropped"] for step in stats["steps"].values())
    train = stats["splits"]["train"]
    assert sum(train["length_histogram"].values()) == train["sentences"]
    words = sum(int(length) * n for length, n in train["length_histogram"].items())
    assert words == train["words"]


def test_train_keeps_the_order_of_the_input(tmp_path: Path, text_file: Path) -> None:
    prepare(make_config(tmp_path / "out", [text_file], min_count=1), silent())
    order = {text: i for i, text in enumerate(texts(tmp_path / "out", "train"))}
    first_seen = dict.fromkeys(line for line in text_file.read_text().splitlines())
    plain = [line[:-1] for line in first_seen if line.startswith("My aunt") and line[-1] == "."]
    positions = [order[text] for text in plain if text in order]
    assert positions == sorted(positions)
    assert len(positions) > 3


def test_more_text_moves_no_sentence_to_another_split(tmp_path: Path, text_file: Path) -> None:
    more = tmp_path / "more.txt.gz"
    more.write_bytes(gzip.compress("\n".join(sentences(9, 300)).encode()))
    prepare(make_config(tmp_path / "few", [text_file], min_count=1), silent())
    prepare(make_config(tmp_path / "more", [more, text_file], min_count=1), silent())
    few, many = split_of(tmp_path / "few"), split_of(tmp_path / "more")
    assert {text: many[text] for text in few} == few
    assert len(many) > len(few)


def test_whitened_rows_have_the_wanted_spread_and_lead_back(
    tmp_path: Path, text_file: Path
) -> None:
    prepare(make_config(tmp_path / "out", [text_file], std=0.3), silent())
    data = PreparedData(tmp_path / "out")
    store = data.store("train")
    ids = np.concatenate([store.sentence(i) for i in range(store.num_sentences)])
    ids = ids[ids < data.word_vectors.vocab_size - len(SPECIAL_LABELS)]
    rows = np.asarray(data.word_vectors.vectors_VW, dtype=np.float64)[ids]
    np.testing.assert_allclose(rows.mean(axis=0), 0, atol=1e-3)  # float16 rows
    np.testing.assert_allclose(rows.std(axis=0), 0.3, rtol=1e-3)
    whitening = Whitening.load(tmp_path / "out")
    np.testing.assert_allclose(whitening.apply(whitening.invert(rows)), rows, atol=1e-12)


def test_rare_phrases_are_cut_and_frequent_ones_stay(tmp_path: Path, text_file: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_bytes("red_boats\nlonely_phrase\n\u2028\n".encode())
    with open(text_file, "a") as file:
        file.write("We met one lonely phrase today.\nThey bought a EOS lonely phrase too.\n")
    config = make_config(tmp_path / "out", [text_file], word_list=str(words), min_count=3)
    prepare(config, silent())
    dictionary = PreparedData(tmp_path / "out").word_vectors.word_ids
    assert "red_boats" in dictionary
    assert "lonely_phrase" not in dictionary
    stats = json.loads((tmp_path / "out" / "stats.json").read_text())
    assert stats["dictionary"]["phrases_left_whole"] == 1
    assert stats["steps"]["phrases"]["changed"] > 2


def vector_file(path: Path, words: list[str], word_dim: int = 8) -> Path:
    rows = np.random.default_rng(3).standard_normal((len(words), word_dim)).tolist()
    lines = [f"{word} {' '.join(map(str, row))}" for word, row in zip(words, rows, strict=True)]
    path.write_text("\n".join([f"{len(words)} {word_dim}", *lines, ""]), encoding="utf-8")
    return path


def test_a_vector_file_limits_the_dictionary_to_words_of_train(
    tmp_path: Path, text_file: Path
) -> None:
    vectors = vector_file(
        tmp_path / "v.txt", ["river", "bread", "red_boats", "zebra", "of", "EOS"]
    )
    with open(text_file, "a") as file:
        file.write("Every EOS mark is a word here.\n" * 1)
    prepare(make_config(tmp_path / "out", [text_file], vectors=str(vectors)), silent())
    words = PreparedData(tmp_path / "out").word_vectors.words
    assert set(words[: -len(SPECIAL_LABELS)]) <= {"river", "bread", "red_boats", "EOS_"}
    assert {"river", "bread", "red_boats"} <= set(words)
    full = make_config(tmp_path / "full", [text_file], vectors=str(vectors), dictionary="full")
    prepare(full, silent())
    assert "zebra" in PreparedData(tmp_path / "full").word_vectors.words


def test_max_sentences_reads_the_first_ones(tmp_path: Path, text_file: Path) -> None:
    prepare(make_config(tmp_path / "out", [text_file], max_sentences=300), silent())
    stats = json.loads((tmp_path / "out" / "stats.json").read_text())
    assert stats["source"]["sentences"] == 300


def test_finished_folder_is_left_alone(tmp_path: Path, text_file: Path) -> None:
    config = make_config(tmp_path / "out", [text_file])
    manifest = prepare(config, silent())
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert prepare(config, silent()) == manifest
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert before == after


def test_another_configuration_needs_overwrite(tmp_path: Path, text_file: Path) -> None:
    prepare(make_config(tmp_path / "out", [text_file]), silent())
    before = content(tmp_path / "out")
    with pytest.raises(RefusedFolderError, match=r"another configuration \(different: words\)"):
        prepare(make_config(tmp_path / "out", [text_file], std=0.3), silent())
    assert content(tmp_path / "out") == before
    prepare(make_config(tmp_path / "out", [text_file], std=0.3, overwrite=True), silent())
    assert content(tmp_path / "out") != before
    PreparedData(tmp_path / "out")


def test_a_folder_with_other_files_is_refused(tmp_path: Path, text_file: Path) -> None:
    with pytest.raises(RefusedFolderError, match="wanted a new or empty folder"):
        prepare(make_config(tmp_path, [text_file]), silent())
    with pytest.raises(RefusedFolderError, match="wanted a folder, got a file"):
        prepare(make_config(text_file, [text_file]), silent())


def test_a_second_process_in_the_same_folder_is_refused(tmp_path: Path, text_file: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with folder_lock(out), pytest.raises(BlockingIOError, match="in use by another"):
        prepare(make_config(out, [text_file]), silent())


@pytest.mark.parametrize(
    ("lines", "words", "message"),
    [
        (["", " "], {}, "wanted at least one sentence, got none"),
        (["Too few here."], {"min_count": 5}, r"words.min_count: wanted at least 2 words"),
        (["Cats sleep.", "Dogs sleep."], {"min_count": 1}, r"splits.tune: wanted at least one"),
        (["word " * 40], {}, "sentences that pass every step"),
    ],
)
def test_too_little_text_is_an_error_that_says_so(
    tmp_path: Path, lines: list[str], words: dict[str, Any], message: str
) -> None:
    path = tmp_path / "t.txt"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=message):
        prepare(make_config(tmp_path / "out", [path], **words), silent())
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_vectors_that_know_no_word_of_the_text_are_an_error(
    tmp_path: Path, text_file: Path
) -> None:
    vectors = vector_file(tmp_path / "v.txt", ["zebra", "okapi"])
    with pytest.raises(ValueError, match="vocabulary too small: wanted at least 2 words"):
        prepare(make_config(tmp_path / "out", [text_file], vectors=str(vectors)), silent())


def test_wrong_vectors_are_refused_before_any_text_is_read(
    tmp_path: Path, text_file: Path
) -> None:
    vectors = vector_file(tmp_path / "v.txt", ["river", "bread"], word_dim=7)
    with pytest.raises(ValueError, match=r"words.word_dim: wanted vectors of 8, got 7"):
        prepare(make_config(tmp_path / "out", [text_file], vectors=str(vectors)), silent())
    assert not (tmp_path / "out").exists()


def test_missing_word_list_is_an_error(tmp_path: Path, text_file: Path) -> None:
    with pytest.raises(ValueError, match=r"words.word_list: .*no such file"):
        prepare(make_config(tmp_path / "out", [text_file], word_list="/nowhere"), silent())
