"""Reconstruction losses (paper sections 2.2, 2.3); match drop enters as a mask of positions.

Shapes: B sentences, N words of all sentences (packed rows), W word_dim.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Literal["squared", "cosine"]


def match_drop_mask(matched_N: Tensor, match_drop: float) -> Tensor:
    """Return True where a word contributes no gradient.

    Args:
        matched_N: bool, words that already decode right.
        match_drop: probability that a matched word is dropped; 1 always (the paper), 0 never.
    """
    if match_drop >= 1:
        return matched_N
    if match_drop <= 0:
        return torch.zeros_like(matched_N)
    return matched_N & (torch.rand(matched_N.shape, device=matched_N.device) < match_drop)


def reconstruction_loss(
    predicted_NW: Tensor, target_NW: Tensor, counted_N: Tensor, num_sentences: int, kind: Loss
) -> Tensor:
    """Return the loss of a batch: a sum over counted words, divided by the number of sentences.

    `squared`: 1/2 ||y - w||^2 (equation 1 and author's implementation, decision D-13);
    `cosine`: 1 - cos(y, w), which the paper reports to be less accurate (section 2.3).
    Words outside the mask get a gradient of exactly zero, whatever their value.

    Args:
        predicted_NW: decoder output.
        target_NW: word vectors of the targets.
        counted_N: bool, words that enter the loss: not dropped.
        num_sentences: B.
        kind: which loss.
    """
    # masked, not selected: selecting would make the host wait for the GPU at every step
    if kind == "squared":
        difference_NW = predicted_NW - target_NW.to(predicted_NW.dtype)
        kept_NW = torch.where(counted_N[..., None], difference_NW, 0.0)
        return 0.5 * kept_NW.square().sum() / num_sentences
    # masked before the division too: its gradient at a NaN or infinity would be NaN, not zero
    predicted_NW = torch.where(counted_N[..., None], predicted_NW, 0.0)
    target_NW = torch.where(counted_N[..., None], target_NW, 0.0).to(predicted_NW.dtype)
    distance_N = 1 - F.cosine_similarity(predicted_NW, target_NW, dim=-1)
    return torch.where(counted_N, distance_N, 0.0).sum() / num_sentences
