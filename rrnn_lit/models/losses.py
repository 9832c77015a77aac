"""Reconstruction losses (paper sections 2.2, 2.3); match drop enters as a mask of positions.

Shapes: B sentences, T words, W word_dim.
"""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

Loss = Literal["squared", "cosine"]


def match_drop_mask(matched_BT: Tensor, match_drop: float) -> Tensor:
    """Return True where a word contributes no gradient.

    Args:
        matched_BT: bool, words that already decode right.
        match_drop: probability that a matched word is dropped; 1 always (the paper), 0 never.
    """
    if match_drop >= 1:
        return matched_BT
    if match_drop <= 0:
        return torch.zeros_like(matched_BT)
    return matched_BT & (torch.rand(matched_BT.shape, device=matched_BT.device) < match_drop)


def reconstruction_loss(
    predicted_BTW: Tensor, target_BTW: Tensor, counted_BT: Tensor, kind: Loss
) -> Tensor:
    """Return the loss of a batch: a sum over counted words, divided by the number of sentences.

    `squared`: 1/2 ||y - w||^2 (equation 1 and author's implementation, decision D-13);
    `cosine`: 1 - cos(y, w), which the paper reports to be less accurate (section 2.3).
    Words outside the mask get a gradient of exactly zero, whatever their value.

    Args:
        predicted_BTW: decoder output.
        target_BTW: word vectors of the targets.
        counted_BT: bool, words that enter the loss: inside the sentence and not dropped.
        kind: which loss.
    """
    # masked, not selected: selecting would make the host wait for the GPU at every step
    if kind == "squared":
        difference_BTW = predicted_BTW - target_BTW.to(predicted_BTW.dtype)
        kept_BTW = torch.where(counted_BT[..., None], difference_BTW, 0.0)
        return 0.5 * kept_BTW.square().sum() / len(counted_BT)
    # masked before the division too: its gradient at a NaN or infinity would be NaN, not zero
    predicted_BTW = torch.where(counted_BT[..., None], predicted_BTW, 0.0)
    target_BTW = torch.where(counted_BT[..., None], target_BTW, 0.0).to(predicted_BTW.dtype)
    distance_BT = 1 - F.cosine_similarity(predicted_BTW, target_BTW, dim=-1)
    return torch.where(counted_BT, distance_BT, 0.0).sum() / len(counted_BT)
