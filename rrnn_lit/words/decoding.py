"""The nearest word of each prediction, found with any scan and decided in float64.

A first pass over all blocks bounds the largest cosine of every prediction from below; a second
opens the blocks that may hold it.

Shapes: N predictions, W word_dim, B blocks, C words of a block, P pairs.
"""

import torch
from torch import Tensor

from rrnn_lit.words.directions import TOLERANCE, Directions
from rrnn_lit.words.scan import Scan, num_blocks


def nearest_ids(scan: Scan, directions: Directions, unit_NW: Tensor) -> Tensor:
    """Return the lowest word_id among the largest cosines of each prediction, int64 (N,).

    Args:
        scan: any scan of the words of `directions`; it cannot change an answer.
        directions: the words, at least one of them with a direction.
        unit_NW: predictions of norm 1, float64.
    """
    queries = scan.queries(unit_NW)
    blocks = range(num_blocks(len(scan.order_U), scan.block_words))
    query_NK = queries.query_NK
    largest_BN = [scan.scores(query_NK, b, b + 1).amax(dim=(1, 2)).double() for b in blocks]
    cosine_NB = torch.stack(largest_BN, dim=1) * queries.unit_NB
    sure_N = (cosine_NB - queries.band_NB).amax(dim=1)
    best_N = sure_N.clone()
    rows_P = word_ids_P = torch.empty(0, dtype=torch.int64, device=unit_NW.device)
    cosine_P = torch.empty(0, dtype=torch.float64, device=unit_NW.device)
    for block in blocks:
        rows = (cosine_NB[:, block] + queries.band_NB[:, block] >= sure_N).nonzero().squeeze(1)
        if not len(rows):
            continue
        scores_RC = scan.scores(query_NK[rows], block, block + 1)[:, 0]
        cosine_RC = scores_RC * queries.unit_NB[rows, block, None].float()
        low_R1 = (sure_N[rows] - queries.band_NB[rows, block])[:, None]
        row, column = (cosine_RC >= low_R1 - 1e-6).nonzero(as_tuple=True)
        word_ids = directions.word_ids_U[scan.order_U[block * scan.block_words + column]]
        cosine = directions.cosines(unit_NW, rows[row], word_ids)
        rows_P, word_ids_P = torch.cat([rows_P, rows[row]]), torch.cat([word_ids_P, word_ids])
        cosine_P = torch.cat([cosine_P, cosine])
        best_N.scatter_reduce_(0, rows[row], cosine, "amax")
        tied_P = cosine_P >= best_N[rows_P] - TOLERANCE
        rows_P, word_ids_P, cosine_P = rows_P[tied_P], word_ids_P[tied_P], cosine_P[tied_P]
    lowest_N = torch.full((len(unit_NW),), len(directions.vectors_VW), device=unit_NW.device)
    return lowest_N.scatter_reduce_(0, rows_P, word_ids_P, "amin")
