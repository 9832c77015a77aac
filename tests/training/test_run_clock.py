import time

import lightning.pytorch as pl
import pytest

from rrnn_lit.training.run_clock import RunClock


@pytest.fixture
def idle() -> tuple[pl.Trainer, pl.LightningModule]:
    trainer = pl.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    return trainer, pl.LightningModule()


def test_counts_all_starts_up_to_their_last_checkpoint(
    monkeypatch: pytest.MonkeyPatch, idle: tuple[pl.Trainer, pl.LightningModule]
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    first = RunClock()
    assert first.seconds == 0
    first.on_train_start(*idle)
    now[0] = 130.0
    saved = first.state_dict()
    now[0] = 170.0  # killed here: the time since the checkpoint is done again
    second = RunClock()
    second.load_state_dict(saved)
    now[0] = 1000.0
    second.on_train_start(*idle)
    now[0] = 1005.0
    second.on_train_end(*idle)
    now[0] = 2000.0
    assert second.seconds == 35.0
