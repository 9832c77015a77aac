"""Reports of untrained models on the shared prepared folder, and sentences decoded by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from rrnn_lit.codec.parts import CodecParts
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.evaluation.evaluate import Evaluated, choose_sentences, evaluate
from rrnn_lit.evaluation.report_content import Column, build_content, facts_of
from rrnn_lit.words.counting import Decoded, count_decoded, loose_classes
from rrnn_lit.words.special import EOS, UNK

CPU = torch.device("cpu")
COMMON: dict[str, Any] = {
    "split": "holdout",
    "num_sentences": 20,
    "num_split_sentences": 20,
    "max_words": 12,
    "data": "data/tiny",
    "data_digest": "0123456789abcdef",
    "seed": 0,
    "device": "cpu",
    "precision": "float32",
    "date": "2026-01-02T03:04:05+00:00",
    "versions": {"rrnn_lit": "0.1.0"},
    "command": "rrnn report runs/tiny",
}


def evaluate_parts(parts: CodecParts, folder: Path) -> dict[str, Evaluated]:
    """Evaluate a model on the holdout split of a prepared folder."""
    store = PreparedData(folder, verify=False).store("holdout")
    return evaluate(parts, store, choose_sentences(store, 12, None), 8, CPU)


def columns_of(parts: CodecParts, folder: Path, name: str = "tiny") -> list[Column]:
    """Return a column for each variant of a model."""
    return [
        Column(f"{name} {variant}", facts_of(parts, variant, f"runs/{name}"), evaluated, None)
        for variant, evaluated in evaluate_parts(parts, folder).items()
    ]


def content_of(
    columns: list[Column], folder: Path, **common: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return content and pairs of a report."""
    content, pairs = build_content(columns, PreparedData(folder), {**COMMON, **common}, 3)
    return {**content, "raw_text": None}, pairs


def by_hand(pairs: list[tuple[str, str]], words: list[str]) -> Evaluated:
    """Return sentences (target, decoded) as if evaluated; `-` is nothing decoded."""
    targets = [[words.index(w) for w in target.split()] for target, _ in pairs]
    found = [[-1 if w == "-" else words.index(w) for w in text.split()] for _, text in pairs]
    loose_V, eos_id, unk_id = loose_classes(words), words.index(EOS), words.index(UNK)
    counts: dict[str, list[int]] = {}
    for target, decoded in zip(targets, found, strict=True):
        target_BT, decoded_BT = torch.tensor([target]), torch.tensor([decoded])
        one = Decoded(target_BT, decoded_BT, target_BT == decoded_BT, torch.tensor([len(target)]))
        for name, count in count_decoded(one, loose_V, eos_id, unk_id).items():
            counts.setdefault(name, []).append(int(count))
    target_N, decoded_N = np.concatenate(targets), np.concatenate(found)
    return Evaluated(
        sentence_numbers_B=np.arange(len(pairs)),
        lengths_B=np.array([len(target) for target in targets]),
        target_N=target_N,
        decoded_N=decoded_N,
        matched_N=target_N == decoded_N,
        cosine_N=np.where(target_N == decoded_N, 0.9, 0.25).astype(np.float32),
        decoded_cosine_N=np.where(target_N == decoded_N, 0.9, 0.5).astype(np.float32),
        counts={name: np.array(values) for name, values in counts.items()},
    )
