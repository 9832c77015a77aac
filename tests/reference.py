"""Slow, obvious versions of what the package computes fast: one sentence, one word at a time.

Shapes: T words, W word_dim, H hidden_size, S sentence_vector_size, N predictions, V vocab_size.
"""

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from rrnn_lit.models.autoencoder import SentenceAutoencoder
from rrnn_lit.models.residual_rnn import ResidualRNN

Rows = npt.NDArray[np.float64]


def run_cell(cell: ResidualRNN, inputs_TI: Tensor) -> Tensor:
    """Return the states (T, H) of one sentence, with concatenated inputs as in Figure 2."""
    weight_xh = torch.cat([cell.weight_x, cell.weight_h], dim=1)
    no_recurrence_H = torch.zeros_like(cell.bias_0)
    state_H = None
    states = []
    for input_I in inputs_TI:
        if state_H is None and cell.first_step == "bias_term":
            joined = torch.cat([input_I, no_recurrence_H])
            branch_H = torch.tanh(weight_xh @ joined + cell.bias_1 + cell.bias_0)
            state_H = cell.weight_2 @ branch_H + cell.bias_2
        else:
            before_H = cell.bias_0 if state_H is None else state_H
            joined = torch.cat([input_I, torch.tanh(before_H)])
            branch_H = torch.tanh(weight_xh @ joined + cell.bias_1)
            update_H = cell.weight_2 @ branch_H + cell.bias_2
            state_H = before_H + update_H if cell.residual else update_H
        states.append(state_H)
    return torch.stack(states)


def encode_sentence(model: SentenceAutoencoder, words_TW: Tensor) -> Tensor:
    """Return the sentence vector (S,) of one sentence without padding, without dropout."""
    encoder = model.encoder
    if encoder.reverse:
        words_TW = torch.stack(list(reversed(list(words_TW))))
    activation_H = torch.tanh(run_cell(encoder.rnn, words_TW)[-1])
    if not encoder.middle_layer:
        return activation_H
    layer = encoder.sentence_vector
    return torch.tanh(layer.weight @ activation_H + layer.bias)


def decode_sentence(model: SentenceAutoencoder, sentence_vector_S: Tensor, length: int) -> Tensor:
    """Return the predicted vectors (T, W); the sentence vector is the input of every step."""
    decoder = model.decoder
    inputs_TS = torch.stack([sentence_vector_S] * length)
    layer = decoder.output
    states_TH = run_cell(decoder.rnn, inputs_TS)
    return torch.stack([layer.weight @ torch.tanh(state_H) + layer.bias for state_H in states_TH])


def cosines(predicted_NW: npt.ArrayLike, words_VW: npt.ArrayLike) -> Rows:
    """Return all cosines (N, V) in float64, NaN where one of the vectors is zero or not finite."""
    units = []
    for rows in (np.asarray(predicted_NW, np.float64), np.asarray(words_VW, np.float64)):
        largest = np.abs(rows).max(axis=1, keepdims=True)
        usable = np.isfinite(largest) & (largest > 0)
        scaled = np.where(usable, rows, np.nan) / np.where(usable, largest, np.nan)
        units.append(scaled / np.sqrt((scaled**2).sum(axis=1, keepdims=True)))
    return np.asarray((units[0][:, None, :] * units[1][None, :, :]).sum(axis=2))


def are_parallel(first: npt.ArrayLike, second: npt.ArrayLike) -> bool:
    """Whether one vector is exactly a positive multiple of the other, in rational numbers."""
    a = [Fraction(float(x)) for x in np.asarray(first, np.float64)]
    b = [Fraction(float(x)) for x in np.asarray(second, np.float64)]
    pivot = next((i for i, x in enumerate(a) if x), None)
    if pivot is None or b[pivot] / a[pivot] <= 0:
        return False
    factor = b[pivot] / a[pivot]
    return all(x * factor == y for x, y in zip(a, b, strict=True))


def nearest_by_brute_force(cosine_NV: Rows, tolerance: float) -> list[int]:
    """Return the lowest word_id among the largest cosines of each row, -1 for a row of NaN."""
    answers = []
    for row in cosine_NV:
        best = max((c for c in row if not np.isnan(c)), default=None)
        near = [i for i, c in enumerate(row) if best is not None and c >= best - tolerance]
        answers.append(near[0] if near else -1)
    return answers


def matches_by_brute_force(
    cosine_NV: Rows,
    words_VW: npt.ArrayLike,
    target_ids: list[int],
    margin: float,
    tolerance: float,
) -> list[bool]:
    """Return for each row whether no word that is not parallel to the target beats it."""
    words = np.asarray(words_VW, np.float64)
    answers = []
    for row, target in zip(cosine_NV, target_ids, strict=True):
        rivals = [
            i
            for i, c in enumerate(row)
            if i != target
            and c > row[target] - margin + tolerance
            and not are_parallel(words[target], words[i])
        ]
        answers.append(not rivals and not np.isnan(row[target]))
    return answers


def exact_order_key(predicted: list[int], word: list[int]) -> Fraction:
    """Return a rational number that grows with the cosine: sign(y.w) (y.w)^2 / (w.w)."""
    dot = sum(y * w for y, w in zip(predicted, word, strict=True))
    return Fraction(dot * abs(dot), sum(w * w for w in word))
