import pytest

from rrnn_lit.data.sources.prose import reads_as_english, sentences

DOC = """Open the gate and let the sheep out.

    The gate is closed again when the *last* sheep
    has passed, see :class:`~farm.Gate` and ``fence``. It never
    waits (e.g. for Mr. Brown). Does it creak?

    Parameters
    ----------
    width : int, optional
        The width of the gate in metres.
    colour: str
        Green by default.

    >>> gate = Gate(3)
    The output is 3.

    Use it as follows::

        This line belongs to code.

    - A bullet is a sentence
      of its own.
    - So is the next one.

    .. code-block:: python

        Nor is this prose at all.

    .. note:: text on the first line
        The note itself is kept.

    ======  ======
    Left    Right
    ======  ======
    This is a table row.   So is this one.

    Args:
        name (str): The name that is painted on the gate. It
            may be empty.

    Note: A label is taken away.

    Returns:
        The gate is returned.
    Nothing
        It has no further use.

    :param speed: The speed is given in metres a second.
    """


def test_prose_comes_out_and_code_tables_and_parameters_do_not() -> None:
    assert list(sentences(DOC)) == [
        "Open the gate and let the sheep out.",
        "The gate is closed again when the last sheep has passed, see Gate and fence.",
        "It never waits (e.g. for Mr. Brown).",
        "Does it creak?",
        "A bullet is a sentence of its own.",
        "So is the next one.",
        "The note itself is kept.",
        "A label is taken away.",
        "The gate is returned.",
        "It has no further use.",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "The sheep are in the barn.",
        "Does this end (as it should) with a mark?",
        '"Stop" is what the sign says!',
        "It isn't well-known, but it's used a lot.",
    ],
)
def test_reads_as_english(line: str) -> None:
    assert reads_as_english(line)


@pytest.mark.parametrize(
    "line",
    [
        "lower case at the start of it.",
        "No mark at the end of this",
        "Too short.",
        "The value of x = 3 is set.",
        "It sets the max_width of the gate.",
        "This calls the openGate of it.",
        "See the file at gate.py for that.",
        "Read it at https://example.org for more.",
        "It returns a dict {} of the gates.",
        "The bracket ( is not closed here.",
        'One " quote in the line is odd.',
        "THE WHOLE LINE IS SHOUTED AT YOU.",
        "Gate fence sheep barn tree.",
        "Set 1 2 3 4 5 6 7 8 of the.",
        "It is " + "very " * 120 + "long.",
    ],
)
def test_does_not_read_as_english(line: str) -> None:
    assert not reads_as_english(line)
