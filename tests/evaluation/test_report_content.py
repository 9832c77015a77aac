from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.evaluation.report_content import Column, facts_line, facts_of
from rrnn_lit.evaluation.report_numbers import FIGURES
from rrnn_lit.models.compressor import compressor_of
from tests.codec.parts import COMPRESSOR_OPTIONS, tiny_parts
from tests.evaluation.reports import COMMON, by_hand, columns_of, content_of


@pytest.fixture(scope="module")
def parts() -> CodecParts:
    return tiny_parts(compressor=True)


@pytest.fixture(scope="module")
def columns(parts: CodecParts, prepared_folder: Path) -> list[Column]:
    return columns_of(parts, prepared_folder)


def test_facts_of_a_model_and_of_its_compressor(parts: CodecParts) -> None:
    plain, compressed = (facts_of(parts, variant, "runs/x") for variant in ("plain", "compressed"))
    assert (plain["vector_size"], plain["bytes_per_vector"]) == (24, 48)
    assert (compressed["vector_size"], compressed["bytes_per_vector"]) == (8, 16)
    # 2 S C + S + C
    assert compressed["num_parameters"] - plain["num_parameters"] == 2 * 24 * 8 + 24 + 8
    assert (plain["hidden_size"], plain["vocab_size"], plain["steps"]) == (20, 71, 10)


@pytest.mark.parametrize(("bits", "size"), [(32, 16), (16, 16), (8, 8), (4, 4)])
def test_bytes_of_a_compressed_vector_are_those_that_are_stored(
    parts: CodecParts, bits: int, size: int
) -> None:
    options = {**COMPRESSOR_OPTIONS, "bits": bits}
    other = replace(parts, compressor=compressor_of(options), compressor_options=options)
    assert facts_of(other, "compressed", "")["bytes_per_vector"] == size
    assert facts_of(other, "plain", "")["bytes_per_vector"] == 48


def test_without_a_size_of_its_own_the_vector_is_as_wide_as_the_network(parts: CodecParts) -> None:
    options = {**parts.autoencoder_options, "sentence_vector_size": None}
    assert facts_of(replace(parts, autoencoder_options=options), "plain", "")["vector_size"] == 20


def test_the_line_names_what_a_bare_percentage_lacks(parts: CodecParts) -> None:
    facts = facts_of(replace(parts, facts={}), "plain", "")
    assert facts_line({**COMMON, "num_sentences": 7}, facts) == (
        "holdout, 7 of 20 sentences, of at most 12 words with EOS; V 71; width 20; "
        "48 bytes per vector; unknown steps (None weights); seed None"
    )


def test_each_figure_carries_the_facts(columns: list[Column], prepared_folder: Path) -> None:
    content, _ = content_of(columns, prepared_folder)
    for column in content["columns"]:
        assert set(column["figures_in_words"]) == {figure.key for figure in FIGURES}
        for text in column["figures_in_words"].values():
            assert "95% interval" in text
            assert text.endswith(column["line"])


def test_only_the_first_column_has_no_difference(
    columns: list[Column], prepared_folder: Path
) -> None:
    plain, compressed = content_of(columns, prepared_folder)[0]["columns"]
    assert plain["differences"] is None
    for figure in FIGURES:
        gain = compressed["figures"][figure.key].part - plain["figures"][figure.key].part
        assert compressed["differences"][figure.key].part == gain


def test_bits_per_word_by_hand(parts: CodecParts, prepared_folder: Path) -> None:
    pairs = [("word1 EOS", "word1 EOS"), ("word1 word2 word3 EOS", "word1 word2 word3 EOS")]
    evaluated = by_hand(pairs, parts.word_vectors.words)
    column = Column("tiny", facts_of(parts, "plain", ""), evaluated, None)
    content, found = content_of([column], prepared_folder)
    # 24 numbers of 16 bits a sentence, 3 words a sentence
    assert content["columns"][0]["bits_per_word"] == 128
    assert found == []


def test_samples_are_drawn_by_seed_and_the_same_for_all_columns(
    columns: list[Column], prepared_folder: Path
) -> None:
    samples = content_of(columns, prepared_folder)[0]["samples"]
    assert samples == content_of(columns, prepared_folder)[0]["samples"]
    other = content_of(columns, prepared_folder, seed=1)[0]["samples"]
    numbers = [[s["sentence_number"] for s in chosen] for chosen in (samples, other)]
    assert numbers[0] != numbers[1]
    assert numbers[0] == sorted(numbers[0])
    for sample in samples:
        assert [column["name"] for column in sample["columns"]] == [
            "tiny plain",
            "tiny compressed",
        ]
        for column in sample["columns"]:
            right = [w == d for w, d in zip(sample["words"], column["decoded"], strict=True)]
            assert column["matched"] == right


def test_an_undefined_cosine_is_null(parts: CodecParts, prepared_folder: Path) -> None:
    evaluated = by_hand([("word1 EOS", "- EOS")], parts.word_vectors.words)
    evaluated = replace(evaluated, cosine_N=np.array([np.nan, 0.5], dtype=np.float32))
    column = Column("tiny", facts_of(parts, "plain", ""), evaluated, None)
    content, pairs = content_of([column], prepared_folder)
    (sample,) = content["samples"]
    assert sample["columns"][0]["cosines"] == [None, 0.5]
    assert sample["columns"][0]["decoded"] == ["", "EOS"]
    assert [(pair["decoded"], pair["cosine"]) for pair in pairs] == [("", None)]
