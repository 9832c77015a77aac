"""Sentences for `rrnn bench text` that look like news: English words and made-up names."""

import numpy as np

from rrnn_lit.bench.zipf import draw_word_ids

_COMMON = """
the of to and in a said for that on is was with as by at it from he his be has have are
an were its which will after had but not who this they more year would about their been two one
people also up last when new first over than government million out there other could company state
before between against because under three since while market police percent week president time
minister years down them country did all some world what if made may during only most still where
many now so shares bank group day house month report home party part team city long another former
because officials including around early told plan national second high season back way work"""
_SYLLABLES = [
    *("ba", "den", "go", "har", "is", "ka", "lo", "men"),
    *("nor", "pe", "ri", "sa", "ter", "um", "vin", "wal"),
]
# places of common words, with the marks that surround them
_FORMS = ("{}",) * 30 + ("{},", '"{}"', "{}-{}", "{}'s", "({})", "{}s'")
_NUMBERS = ("{:d}", "{:,d}", "${:,d}", "{:d}%", "{:d}.5")


def make_text_lines(number: int, seed: int) -> list[str]:
    """Return sentences of some 25 words: words by Zipf's law, a tenth names, a few numbers.

    Args:
        number: how many.
        seed: any non-negative integer.
    """
    generator = np.random.default_rng(seed)
    common = _COMMON.split()
    lengths = generator.integers(12, 39, number)
    drawn = iter(draw_word_ids(len(common), 2 * int(lengths.sum()), generator).tolist())
    lines = []
    for length in lengths.tolist():
        kinds = generator.random(length).tolist()
        forms = generator.integers(0, len(_FORMS), length).tolist()
        numbers = generator.integers(1, 20_000, length).tolist()
        words = []
        for kind, form, value in zip(kinds, forms, numbers, strict=True):
            pair = common[next(drawn)], common[next(drawn)]
            if kind < 0.1:
                words.append(_name(value))
            elif kind < 0.13:
                words.append(_NUMBERS[value % len(_NUMBERS)].format(value))
            else:
                words.append(_FORMS[form].format(*pair))
        lines.append(" ".join(words).capitalize() + ".")
    return lines


def _name(number: int) -> str:
    return "".join(_SYLLABLES[number >> shift & 15] for shift in (0, 4, 8)).capitalize()
