"""SayMemory: prints what memory a training step needs, before it does."""

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback

from rrnn_lit.training.memory_budget import MemorySizes, describe_budget, memory_budget


class SayMemory(Callback):
    """Computes the budget from the options of module and data, for the longest sentences."""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print one line."""
        if not trainer.is_global_zero:
            return
        options, data = pl_module.hparams, trainer.datamodule  # type: ignore[attr-defined]
        sizes = MemorySizes(
            hidden_size=options["hidden_size"],
            sentence_vector_size=options["sentence_vector_size"],
            word_dim=options["word_dim"],
            vocab_size=len(data.word_vectors.words),
            num_words=data.hparams["batch_size"] * data.hparams["max_words"] // trainer.world_size,
            precision=str(trainer.precision),
            memory=options["memory"],
            round_moments=options["round_moments"],
            on_gpu=trainer.strategy.root_device.type == "cuda",
            cell=options["cell"],
            middle_layer=options["middle_layer"],
        )
        print(describe_budget(memory_budget(sizes)))
