import json
from pathlib import Path

import pytest
import torch
from torch import distributed

from rrnn_lit.training.matched_words import MatchedWords
from rrnn_lit.words.counting import Decoded
from tests.training.tiny import in_child

UNK, EOS = 4, 5
# words 0 and 1 agree but for case; 2 and 3 are words of their own
LOOSE_V = torch.tensor([0, 0, 1, 2, 3, 4])
TARGETS = [[0, 2, EOS], [1, 3, 2, EOS], [2, UNK, EOS], [3, EOS]]
DECODED = [[0, 2, EOS], [0, 3, EOS, EOS], [2, UNK, EOS], [-1, EOS]]


def make_batch(rows: slice) -> Decoded:
    targets, decoded = TARGETS[rows], DECODED[rows]
    longest = max(map(len, targets))
    target_BT = torch.tensor([t + [0] * (longest - len(t)) for t in targets])
    decoded_BT = torch.tensor([d + [-1] * (longest - len(d)) for d in decoded])
    lengths_B = torch.tensor([len(t) for t in targets])
    return Decoded(target_BT, decoded_BT, target_BT == decoded_BT, lengths_B)


def make_metric() -> MatchedWords:
    return MatchedWords(max_words=6, loose_classes_V=LOOSE_V, eos_id=EOS, unk_id=UNK)


FIGURES = {
    "matched_words": 3 + 2 + 3 + 1,
    "loosely_matched_words": 3 + 3 + 3 + 1,  # sentence 2: word 1 decoded as word 0
    "num_words": 3 + 4 + 3 + 2,
    "exact_sentences": 2,
    "num_sentences": 4,
    "strict_matched_words": 2 + 1 + 1 + 0,
    "strict_num_words": 2 + 3 + 1 + 1,
    "strict_exact_sentences": 1,  # not the one with UNK
    "matched_word_rate": 9 / 12,
    "loosely_matched_word_rate": 10 / 12,
    "exact_sentence_rate": 2 / 4,
    "strict_matched_word_rate": 4 / 7,
    "strict_exact_sentence_rate": 1 / 4,
}
BY_LENGTH = {
    "length": [2, 3, 4],
    "num_sentences": [1, 2, 1],
    "exact_sentences": [0, 2, 0],
    "num_words": [2, 6, 4],
    "matched_words": [1, 6, 2],
}


@pytest.mark.parametrize("batch_size", [1, 3, 4])
def test_hand_counted_sentences_whatever_the_batches(batch_size: int) -> None:
    metric = make_metric()
    for start in range(0, len(TARGETS), batch_size):
        metric.update(make_batch(slice(start, start + batch_size)))
    assert {name: value.item() for name, value in metric.compute().items()} == FIGURES
    assert metric.compute_by_length() == BY_LENGTH


def test_two_processes_count_as_one(tmp_path: Path) -> None:
    def count(rank: int) -> int:
        distributed.init_process_group(
            "gloo", init_method=f"file://{tmp_path / 'store'}", rank=rank, world_size=2
        )
        metric = make_metric()
        metric.update(make_batch(slice(rank, None, 2)))
        figures = {name: value.item() for name, value in metric.compute().items()}
        result = json.dumps([figures, metric.compute_by_length()])
        (tmp_path / f"{rank}.json").write_text(result, encoding="utf-8")
        distributed.barrier()
        return 0

    def both() -> int:
        # the process with rank 1 is a child of the one with rank 0
        import os

        other = os.fork()
        if other == 0:
            os._exit(count(1))
        code = count(0)
        return code + os.waitstatus_to_exitcode(os.waitpid(other, 0)[1])

    assert in_child(both) == 0
    for rank in range(2):
        assert json.loads((tmp_path / f"{rank}.json").read_text()) == [FIGURES, BY_LENGTH]
