"""What only a new interpreter shows: what is loaded, and that nothing depends on the process."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.codec.sentence_codec import SentenceCodec
from tests.codec.parts import tiny_parts

SENTENCES = ["word3 word14, word1", "", "\u4f60\u597d", "word9 " * 11, "qwertz"]
FORBIDDEN = ["lightning", "torchmetrics", "wandb", "optuna", "gensim", "jsonargparse"]
FORBIDDEN += ["matplotlib", "pyarrow", "yaml", "rich", "py3langid"]
CODE = """
import json, sys
import numpy as np
import rrnn_lit.codec.encode_cli, rrnn_lit.codec.decode_cli, rrnn_lit.codec.word_processes
torch_for_words = "torch" in sys.modules
from rrnn_lit import SentenceCodec
bundle, stored, sentences = sys.argv[1:]
codec = SentenceCodec.load(bundle)
vectors, stored = codec.encode(json.loads(sentences)), np.load(stored, allow_pickle=False)
codec.reconstruct(json.loads(sentences), compressed=True)
answer = {
    "torch_for_words": torch_for_words,
    "loaded": list(sys.modules),
    "same": np.array_equal(vectors, stored),
    "words": codec.decode_words(stored),
}
print(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def codec() -> SentenceCodec:
    return SentenceCodec(tiny_parts(compressor=True))


@pytest.fixture(scope="module")
def answer(codec: SentenceCodec, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("fresh")
    write_bundle(codec.parts, folder / "bundle")
    np.save(folder / "vectors.npy", codec.encode(SENTENCES), allow_pickle=False)
    arguments = [str(folder / "bundle"), str(folder / "vectors.npy"), json.dumps(SENTENCES)]
    command = [sys.executable, "-c", CODE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_codec_loads_nothing_of_the_training(answer: dict[str, Any]) -> None:
    assert sorted(set(FORBIDDEN).intersection(answer["loaded"])) == []


def test_words_and_command_lines_need_no_torch(answer: dict[str, Any]) -> None:
    assert not answer["torch_for_words"]


def test_vectors_are_the_same_in_another_process(answer: dict[str, Any]) -> None:
    assert answer["same"]


def test_stored_vectors_have_the_same_words_in_another_process(
    answer: dict[str, Any], codec: SentenceCodec
) -> None:
    assert answer["words"] == codec.decode_words(codec.encode(SENTENCES))
