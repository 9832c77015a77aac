"""Peak memory of a few training steps, measured in a process of its own.

    python -m rrnn_lit.bench.memory_probe '{"hidden_size": 1536, ...}'

prints the bytes that the steps needed beyond a loaded torch. The fields are those of
`training/memory_budget.py`'s `MemorySizes` and `num_steps`, words of each sentence.
"""

import json
import resource
import sys
from typing import Any

import torch

from rrnn_lit.models.autoencoder import AutoencoderShape, SentenceAutoencoder
from rrnn_lit.models.losses import reconstruction_loss
from rrnn_lit.models.packing import Packing
from rrnn_lit.models.weight_gradients import WeightGradients
from rrnn_lit.training.memory_budget import MemorySizes
from rrnn_lit.training.optimizer import make_adam
from rrnn_lit.training.precision import LossScaler
from rrnn_lit.words.nearest import NearestWords

_AUTOCAST = {"16-mixed": torch.float16, "bf16-mixed": torch.bfloat16, "32-true": torch.float32}
UPDATES = 3


def measure_bytes(sizes: MemorySizes, num_steps: int) -> int:
    """Return the peak of a few steps beyond what is in use before, on CUDA if there is one."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    before = _in_use(device)
    train(sizes, num_steps, device)
    return _peak(device) - before


def train(sizes: MemorySizes, num_steps: int, device: torch.device) -> list[float]:
    """Do a few updates and look up the nearest words once; return the loss of each update."""
    losses = []
    with device:
        words = NearestWords(torch.randn(sizes.vocab_size, sizes.word_dim, dtype=torch.float16))
        shape = AutoencoderShape(
            sizes.word_dim,
            sizes.hidden_size,
            sizes.sentence_vector_size,
            "bias_term",
            0.0,
            True,
            "output",
        )
        model = SentenceAutoencoder(shape)
    model.initialise("sparse", 0.08, 0.05)
    deferred = WeightGradients() if sizes.memory == "lean" else None
    if deferred is not None:
        model.defer_weight_gradients(deferred)
    parameters = model.parameters()
    rounds = sizes.round_moments
    optimizer = make_adam(parameters, 1e-4, (0.85, 0.99), 1e-8, 1e-7, rounds, deferred)
    lengths_B = torch.full((sizes.num_words // num_steps,), num_steps)
    packing = Packing.of(lengths_B, device)
    scaler = LossScaler(device.type, enabled=sizes.precision == "16-mixed")
    for _ in range(UPDATES):
        word_ids_N = torch.randint(sizes.vocab_size, (sizes.num_words,), device=device)
        target_NW = words.vectors_VW[word_ids_N].float()
        dtype = _AUTOCAST[sizes.precision]
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            predicted_NW = model.reconstruct(target_NW, packing).float()
            counted_N = ~words.is_nearest(predicted_NW.detach(), word_ids_N)
            loss = reconstruction_loss(
                predicted_NW, target_NW, counted_N, len(lengths_B), "squared"
            )
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(float(loss.detach()))
    # an evaluation asks for the word itself
    words.nearest_word_ids(torch.randn(sizes.num_words, sizes.word_dim, device=device))
    return losses


def _in_use(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.memory_allocated()
    # libraries load on first use: not a matter of sizes
    tiny = MemorySizes(8, None, 4, 40, 8, "bf16-mixed", "standard", "none", False)
    train(tiny, 2, device)
    return _peak(device)


def _peak(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(argument: str) -> None:
    """Measure the sizes given as JSON and print bytes."""
    fields: dict[str, Any] = json.loads(argument)
    num_steps = fields.pop("num_steps")
    torch.set_num_threads(1)
    print(measure_bytes(MemorySizes(**fields), num_steps))


if __name__ == "__main__":
    main(sys.argv[1])
