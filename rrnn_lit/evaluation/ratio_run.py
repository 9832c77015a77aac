"""What `rrnn ratio` does from its options to its files.

Shapes: N training vectors, S sentence_vector_size.
"""

import argparse
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from rrnn_lit.data.manifest import write_json
from rrnn_lit.data.prepared import PreparedData
from rrnn_lit.data.sentence_vectors import SentenceVectors
from rrnn_lit.evaluation import product_quantisation
from rrnn_lit.evaluation.evaluate import Reconstructor, choose_sentences
from rrnn_lit.evaluation.ratio_cli import JSON_FILE, PICTURE_FILE
from rrnn_lit.evaluation.ratio_curve import as_json, encode_sentences, measure, table_of
from rrnn_lit.evaluation.ratio_figure import draw_ratio
from rrnn_lit.evaluation.ratio_methods import Method, all_methods, restore_by
from rrnn_lit.evaluation.report_subjects import Subject, open_subjects
from rrnn_lit.models.building import weights_digest
from rrnn_lit.models.devices import device_of

_SEED = 1234
Say = Callable[[Any], None]


def run_ratio(given: argparse.Namespace, say: Say) -> None:
    """Measure, print, and write the files that were asked for.

    Args:
        given: the options of the command.
        say: is told of the progress, line by line.

    Raises:
        ValueError: a folder holds something else, or a compressor is of another autoencoder.
        OSError: a file cannot be written.
    """
    device = device_of(given.device, "--device")
    (subject, *others), data = open_subjects([given.model, *given.compressor], given.data, "best")
    digest = weights_digest(subject.parts.autoencoder)
    trained = [_trained(other, digest) for other in others]
    max_words = given.max_words or subject.parts.max_words
    store = data.store(given.split)
    sentences = choose_sentences(store, max_words, given.sentences)
    model = Reconstructor(subject.parts, device)
    vectors_NS = _training_vectors(given, model, data, digest, max_words, say)
    if not product_quantisation.is_installed():
        say("PQ: left out, the package faiss is not installed")
    codebooks = product_quantisation.is_installed()
    methods = [*all_methods(vectors_NS, given.ratios, codebooks, say), *trained]
    say(f"counting {len(sentences):,} sentences with {len(methods)} methods")
    rows = measure(model, methods, store, sentences, given.batch_size)
    facts = {
        "model": subject.name,
        "weights_digest": digest,
        "data_digest": data.digest,
        "split": given.split,
        "num_sentences": len(sentences),
        "num_words": int(store.lengths[sentences].sum()),
        "max_words": max_words,
        "vocab_size": data.word_vectors.vocab_size,
        "sentence_vector_size": vectors_NS.shape[1],
        "training_vectors": len(vectors_NS),
    }
    title = (
        f"{subject.name}: {len(sentences):,} sentences of {given.split}, at most {max_words} "
        f"words, {len(vectors_NS):,} training vectors"
    )
    content = as_json(rows, facts)
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        write_json(given.out / JSON_FILE, content)
        names = [method.name for method in trained]
        draw_ratio(rows, names, title, given.out / PICTURE_FILE)
        say(f"wrote {given.out / JSON_FILE} and {given.out / PICTURE_FILE}")
    if given.json:
        print(json.dumps(content, indent=2))
    else:
        Console().print(table_of(rows, title))


def _trained(subject: Subject, digest: str) -> Method:
    parts = subject.parts
    if parts.compressor is None:
        raise ValueError(
            f"--compressor: wanted a trained compressor, got one without in {subject.path}"
        )
    own = weights_digest(parts.autoencoder)
    if own != digest:
        raise ValueError(
            f"--compressor: wanted one of the autoencoder {digest[:12]}, got one of {own[:12]} "
            f"in {subject.path}"
        )
    compressor = parts.compressor
    return Method(subject.name, compressor.bytes_per_vector, restore_by(compressor))


def _training_vectors(
    given: argparse.Namespace,
    model: Reconstructor,
    data: PreparedData,
    digest: str,
    max_words: int,
    say: Say,
) -> Tensor:
    """Return a random part of the training vectors, by a fixed seed, fp32 on the host."""
    generator = np.random.default_rng(_SEED)
    if given.vectors is not None:
        vectors = SentenceVectors(given.vectors)
        if vectors.manifest["weights_digest"] != digest:
            raise ValueError(
                f"--vectors: wanted those of the autoencoder {digest[:12]}, got those of "
                f"{vectors.manifest['weights_digest'][:12]} in {given.vectors}"
            )
        # what is learnt from a split that is counted looks better than it is
        for name, wanted in (("split", "train"), ("data_digest", data.digest)):
            if vectors.manifest[name] != wanted:
                raise ValueError(
                    f"--vectors: wanted those with {name} {wanted}, got "
                    f"{vectors.manifest[name]} in {given.vectors}"
                )
        return torch.from_numpy(
            vectors.rows(_some(generator, len(vectors), given.train_sentences))
        ).float()
    store = data.store("train")
    sentences = choose_sentences(store, max_words, None)
    chosen = sentences[_some(generator, len(sentences), given.train_sentences)]
    say(f"encoding {len(chosen):,} training sentences")
    return encode_sentences(model, store, chosen, given.batch_size)


def _some(generator: np.random.Generator, number: int, at_most: int) -> Any:
    return np.sort(generator.choice(number, min(number, at_most), replace=False))
