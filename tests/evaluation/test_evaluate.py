from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.data.loading import EvaluationBatches, collate
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.token_store import TokenStore
from rrnn_lit.evaluation.evaluate import Evaluated, Integers, choose_sentences, evaluate
from rrnn_lit.models.compressor import Compressor, CompressorShape
from rrnn_lit.training.reconstruction import reconstruct
from rrnn_lit.words.counting import count_decoded, loose_classes
from rrnn_lit.words.nearest import NearestWords
from tests.codec.parts import tiny_parts
from tests.evaluation.reports import CPU


@pytest.fixture(scope="module")
def store(prepared_folder: Path) -> TokenStore:
    return PreparedData(prepared_folder).store("holdout")


@pytest.fixture(scope="module")
def parts() -> CodecParts:
    return leaning_parts()


def leaning_parts() -> CodecParts:
    """A model that gets some words right: it leans to the most frequent one."""
    parts = tiny_parts()
    with torch.no_grad():
        output = parts.autoencoder.decoder.output
        output.bias.copy_(torch.tensor(parts.word_vectors.vectors_VW[0]).float() / 2)
    return parts


def whole_split(store: TokenStore) -> Integers:
    return np.arange(store.num_sentences)


def test_counts_are_those_of_counting(parts: CodecParts, store: TokenStore) -> None:
    words = NearestWords(torch.tensor(parts.word_vectors.vectors_VW))
    loose_V = loose_classes(parts.word_vectors.words)
    special = parts.word_vectors.eos_id, parts.word_vectors.unk_id
    batches = EvaluationBatches(store, whole_split(store), 7, 0, 1)
    wanted: dict[str, int] = {}
    for number in range(len(batches)):
        decoded = reconstruct(parts.autoencoder, words, batches[number])["decoded"]
        for name, count in count_decoded(decoded, loose_V, *special).items():
            wanted[name] = wanted.get(name, 0) + int(count)
    found = evaluate(parts, store, whole_split(store), 7, CPU)["plain"]
    assert {name: int(count_B.sum()) for name, count_B in found.counts.items()} == wanted
    assert 0 < wanted["matched_words"] < wanted["num_words"]


def test_words_stand_in_the_order_of_the_split(parts: CodecParts, store: TokenStore) -> None:
    found = evaluate(parts, store, whole_split(store), 7, CPU)["plain"]
    assert found.sentence_numbers_B.tolist() == list(range(store.num_sentences))
    words = NearestWords(torch.tensor(parts.word_vectors.vectors_VW))
    for row in range(store.num_sentences):
        place = found.words_of(row)
        assert found.target_N[place].tolist() == store.sentence(row).tolist()
        alone = reconstruct(parts.autoencoder, words, collate(store, np.array([row]), 0))
        assert found.decoded_N[place].tolist() == alone["decoded"].decoded_BT[0].tolist()
        assert found.matched_N[place].tolist() == alone["decoded"].matched_BT[0].tolist()
        cosines = words.cosine(alone["predicted_BTW"][0], alone["decoded"].target_BT[0])
        assert found.cosine_N[place] == pytest.approx(cosines.numpy(), abs=1e-5)
        assert (found.decoded_cosine_N[place] >= found.cosine_N[place] - 1e-6).all()
        matched = int(found.matched_N[place].sum())
        assert found.counts["matched_words"][row] == matched
        assert found.by_sentence(found.matched_N)[row] == matched


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_the_batch_size_changes_no_word(
    parts: CodecParts, store: TokenStore, batch_size: int
) -> None:
    one, other = (
        evaluate(parts, store, whole_split(store), size, CPU)["plain"] for size in (8, batch_size)
    )
    assert one.decoded_N.tolist() == other.decoded_N.tolist()
    assert one.matched_N.tolist() == other.matched_N.tolist()


def with_compressor(parts: CodecParts, size: int) -> CodecParts:
    compressor = Compressor(CompressorShape(24, size, "leaky_relu"))
    return replace(parts, compressor=compressor.eval())


def test_a_compressor_that_loses_nothing_changes_nothing(
    parts: CodecParts, store: TokenStore
) -> None:
    # a leaky ReLU is undone by its own inverse: values and their negatives side by side
    compressed = with_compressor(parts, 48)
    assert compressed.compressor is not None
    with torch.no_grad():
        for weight in compressed.compressor.parameters():
            weight.zero_()
        both = torch.cat([torch.eye(24), -torch.eye(24)])
        compressed.compressor.down.weight.copy_(both)
        compressed.compressor.up.weight.copy_(both.T / 1.01)
    found = evaluate(compressed, store, whole_split(store), 8, CPU)
    assert set(found) == {"plain", "compressed"}
    assert found["plain"].decoded_N.tolist() == found["compressed"].decoded_N.tolist()
    assert found["plain"].cosine_N == pytest.approx(found["compressed"].cosine_N, abs=1e-4)


def test_a_compressor_that_keeps_nothing_decodes_the_same_for_all(
    parts: CodecParts, store: TokenStore
) -> None:
    compressed = with_compressor(parts, 2)
    assert compressed.compressor is not None
    with torch.no_grad():
        compressed.compressor.up.weight.zero_()
    found = evaluate(compressed, store, whole_split(store), 8, CPU)["compressed"]
    first_words = {int(found.decoded_N[start]) for start in found.starts}
    assert len(first_words) == 1
    plain: Evaluated = evaluate(parts, store, whole_split(store), 8, CPU)["plain"]
    assert plain.decoded_N.tolist() != found.decoded_N.tolist()


def test_sentences_are_the_first_that_are_short_enough(store: TokenStore) -> None:
    chosen = choose_sentences(store, 6, 4)
    short = [i for i, length in enumerate(store.lengths) if length <= 6]
    assert chosen.tolist() == short[:4]
    assert choose_sentences(store, 12, None).tolist() == list(range(store.num_sentences))


def test_a_split_without_short_sentences_is_refused(store: TokenStore) -> None:
    message = "--split: wanted holdout sentences of at most 2 words, got none among 20"
    with pytest.raises(ValueError, match=message):
        choose_sentences(store, 2, None)


def test_progress_tells_the_sentences_done(parts: CodecParts, store: TokenStore) -> None:
    told: list[int] = []
    evaluate(parts, store, whole_split(store), 8, CPU, told.append)
    assert told == [8, 16, 20]
