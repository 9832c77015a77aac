"""Which sentences are in batch k: a pure function of (seed, k), computed directly for any k.

A pass shuffles the sentences; batch k holds positions k B .. k B + B - 1 of the shuffled order.
With length buckets a window of batches is sorted by length and cut into batches anew, whose order
inside the window is shuffled, so that a batch holds sentences of about equal length.

Shapes: B sentences of a batch.
"""

import math

import numpy as np
import numpy.typing as npt

from rrnn_lit.data.permutation import KeyedPermutation

Sentences = npt.NDArray[np.int64]


class BatchOrder:
    """The order in which training sees its sentences.

    Args:
        lengths: number of words of each sentence, EOS included.
        batch_size: sentences in a batch over all processes; a pass's last batch may be smaller.
        seed: key of the shuffles.
        length_buckets: batches in a window that is sorted by length; 0 or 1 is the plain random
            order of the paper.
    """

    def __init__(
        self, lengths: npt.NDArray[np.int64], batch_size: int, seed: int, length_buckets: int
    ) -> None:
        self.batch_size = batch_size
        self.batches_per_pass = math.ceil(len(lengths) / batch_size)
        self._lengths = lengths
        self._seed = seed
        self._window = max(1, length_buckets)
        # the loader asks for neighbouring batches: the last window is kept (a cache decorator
        # could not be sent to a loader's workers where processes are not forked)
        self._kept: tuple[tuple[int, int], list[tuple[Sentences, Sentences]]] = ((-1, -1), [])

    def batch(self, batch_number: int) -> tuple[Sentences, Sentences]:
        """Return (sentence numbers, serial numbers) of a batch, int64 (B,) each.

        The serial number counts the sentences that training has seen before, over all passes; it
        names an occurrence of a sentence.
        """
        pass_number, in_pass = divmod(batch_number, self.batches_per_pass)
        window, in_window = divmod(in_pass, self._window)
        if self._kept[0] != (pass_number, window):
            self._kept = (pass_number, window), self._compute_window(pass_number, window)
        return self._kept[1][in_window]

    def _compute_window(self, pass_number: int, window: int) -> list[tuple[Sentences, Sentences]]:
        size = self._window * self.batch_size
        start = window * size
        positions = np.arange(start, min(start + size, len(self._lengths)))
        permutation = KeyedPermutation(len(self._lengths), (self._seed, pass_number))
        sentences = permutation(positions)
        if self._window > 1:
            by_length = np.argsort(self._lengths[sentences], kind="stable")
            positions, sentences = positions[by_length], sentences[by_length]
        serials = positions + pass_number * len(self._lengths)
        cuts = range(self.batch_size, len(sentences), self.batch_size)
        batches = list(zip(np.split(sentences, cuts), np.split(serials, cuts), strict=True))
        if self._window == 1:
            return batches
        shuffle = np.random.default_rng((self._seed, pass_number, window, 1))
        return [batches[i] for i in shuffle.permutation(len(batches))]


def blank_words(
    word_ids_BT: npt.NDArray[np.int64],
    lengths_B: npt.NDArray[np.int64],
    serials_B: npt.NDArray[np.int64],
    content_words_V: npt.NDArray[np.bool_],
    blank_id: int,
    blank_every: int,
    seed: int,
) -> npt.NDArray[np.int64]:
    """Replace one random content word of every `blank_every`-th sentence by the blank label.

    Input and target both read the result: the label is learnt, nothing is filled in (author's
    implementation, decision D-25).

    Args:
        word_ids_BT: sentences, changed in place.
        lengths_B: number of words of each, EOS included.
        serials_B: serial numbers of the sentences, which decide where blanks fall.
        content_words_V: dictionary words that may be blanked.
        blank_id: word_id of the label.
        blank_every: distance of blanked sentences; 0 disables.
        seed: key of the choice of the word.
    """
    if blank_every:
        for row in np.flatnonzero(serials_B % blank_every == blank_every - 1):
            places = np.flatnonzero(content_words_V[word_ids_BT[row, : lengths_B[row]]])
            if len(places):
                generator = np.random.default_rng((seed, int(serials_B[row]), 2))
                word_ids_BT[row, generator.choice(places)] = blank_id
    return word_ids_BT
