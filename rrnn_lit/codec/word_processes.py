"""Raw sentences to words in processes of their own, which load no torch."""

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from rrnn_lit.codec.sentence_words import SentenceWords

if TYPE_CHECKING:
    from rrnn_lit.codec.parts import CodecParts

_AHEAD = 2  # blocks a process that wait, so that none has to
_in_this_process: list[SentenceWords] = []


def words_of_blocks(
    parts: "CodecParts", blocks: Iterable[list[str]], processes: int
) -> Iterator[list[list[str]]]:
    """Yield the words of each block of sentences, in order.

    Args:
        parts: only what concerns text is used.
        blocks: lists of sentences; so many as processes are busy with are held in memory.
        processes: at least 1.

    Raises:
        ValueError: a process was killed, or the tokenizer's package is not installed.
    """
    arguments = (parts.text, parts.known_words, parts.whole_phrases, parts.corrections)
    SentenceWords(parts.text, None, None, {})  # a missing package is told here, in one line
    # a fork would copy torch's threads in the middle of their work
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _start, arguments)
    waiting: deque[Future[list[list[str]]]] = deque()
    try:
        for block in blocks:
            waiting.append(pool.submit(_words, block))
            if len(waiting) > _AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise ValueError("--processes: a process ended, for lack of memory perhaps") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start(*arguments: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's to handle
    _in_this_process.append(SentenceWords(*arguments))


def _words(sentences: list[str]) -> list[list[str]]:
    return [_in_this_process[0](sentence) for sentence in sentences]
