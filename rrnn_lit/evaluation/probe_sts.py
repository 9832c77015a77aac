"""Similarity of sentence pairs beside human scores, ours and that of simple baselines.

Shapes: B pairs.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rrnn_lit.codec.sentence_codec import SentenceCodec
from rrnn_lit.evaluation.probe_baselines import mean_vectors, overlap
from rrnn_lit.evaluation.probe_correlation import Correlation, pearson, spearman
from rrnn_lit.evaluation.probes import Vectors, paired_cosines

Floats = npt.NDArray[np.float64]
OURS, COMPRESSED, RESTORED = "sentence vectors", "compressed vectors", "restored vectors"
MEANS, OVERLAP = "mean of word vectors", "word overlap"


@dataclass(frozen=True)
class ScoredPair:
    """Two sentences and how similar people find them, higher for more similar."""

    first: str
    second: str
    score: float


def read_pairs(lines: Iterable[str], name: str) -> Iterator[ScoredPair]:
    """Yield the pairs of tab-separated lines: sentence, sentence, score; blank lines are skipped.

    Raises:
        ValueError: names the file and the line that is something else.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        fields = line.split("\t")
        where = f"{name}, line {number}: wanted SENTENCE<tab>SENTENCE<tab>NUMBER"
        if len(fields) != 3:
            raise ValueError(f"{where}, got {len(fields)} fields")
        try:
            score = float(fields[2])
        except ValueError:
            score = math.nan
        if not math.isfinite(score):
            hint = "; take out a line of headings" if number == 1 else ""
            raise ValueError(f"{where}, got {fields[2][:40]!r} for the number{hint}")
        if not (fields[0].strip() and fields[1].strip()):
            raise ValueError(f"{where}, got an empty sentence")
        yield ScoredPair(fields[0], fields[1], score)


def similarities(
    codec: SentenceCodec, pairs: Sequence[ScoredPair], compressed: bool, batch_size: int
) -> dict[str, Floats]:
    """Return method -> similarity of each pair, (B,).

    Args:
        codec: makes the vectors; sentences of any length get one.
        pairs: at least one.
        compressed: also compare what the compressor makes of the vectors, and what comes back
            from it. Codes of whole numbers are no vectors and are left out.
        batch_size: most sentences encoded at once.

    Raises:
        ValueError: `compressed` without a compressor.
    """
    first = codec.words([pair.first for pair in pairs])
    second = codec.words([pair.second for pair in pairs])
    ours = [codec.encode_words(words, batch_size, longer="encode") for words in (first, second)]
    found = {OURS: _cosines(ours)}
    if compressed:
        codes = [codec.compress(vectors) for vectors in ours]
        if np.issubdtype(codes[0].dtype, np.floating):
            found[COMPRESSED] = _cosines(codes)
        found[RESTORED] = _cosines([codec.decompress(side) for side in codes])
    means = [mean_vectors(words, codec.parts.word_vectors) for words in (first, second)]
    found[MEANS] = _cosines(means)
    found[OVERLAP] = np.array([overlap(*words) for words in zip(first, second, strict=True)])
    return found


def _cosines(sides: Sequence[Vectors]) -> Floats:
    return paired_cosines(sides[0], sides[1])


@dataclass(frozen=True)
class Agreement:
    """How well a method's similarities go with human scores."""

    method: str
    pearson: Correlation
    spearman: Correlation


def agreements(found: dict[str, list[Floats]], scores_B: Floats) -> list[Agreement]:
    """Return the agreement of each method, whose similarities may be in several blocks."""
    rows = []
    for method, blocks in found.items():
        similarity_B = np.concatenate(blocks)
        rows.append(
            Agreement(method, pearson(similarity_B, scores_B), spearman(similarity_B, scores_B))
        )
    return rows
