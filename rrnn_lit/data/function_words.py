"""Function words of English: those that are never blanked in training (decision D-25).

Our own list; the author's is not published.
"""

import numpy as np
import numpy.typing as npt

from rrnn_lit.words.special import SPECIAL_LABELS

_LIST = """
a an the this that these those some any each every no all both either neither such
i you he she it we they me him her us them my your his its our their mine yours hers ours
theirs myself yourself himself herself itself ourselves themselves
who whom whose which what where when why how
and or but nor so yet if then than because although though while until unless since as
of to in on at by for with from into onto upon over under above below between among about
against during before after through across along around behind beside beyond near off out up
down within without toward towards via per
be am is are was were been being do does did done doing have has had having
can could may might must shall should will would ought
not n't never only also just even still too very more most much many few less least own same
other another there here again once s 's 're 've 'll 'd 'm
don't doesn't didn't isn't aren't wasn't weren't can't couldn't won't wouldn't hasn't haven't
hadn't shouldn't it's that's i'm you're we're they're i've you've we've they've i'll you'll
"""
FUNCTION_WORDS = frozenset(_LIST.split())


def content_words(words: list[str]) -> npt.NDArray[np.bool_]:
    """Return bool (V,): words that are neither function words nor special labels."""
    excluded = FUNCTION_WORDS | {label.lower() for label in SPECIAL_LABELS}
    return np.array([word.lower() not in excluded for word in words])
