"""Every key that a run logs, once: `metrics.jsonl`, W&B and the progress display use these."""

TRAIN_LOSS = "train/loss"
TRAIN_MATCHED_WORD_RATE = "train/matched_word_rate"  # in training mode, dropout active
TRAIN_DROPPED_WORD_RATE = "train/dropped_word_rate"  # words without a gradient: match drop
TRAIN_SENTENCES_PER_SECOND = "train/sentences_per_second"
TRAIN_MATCHING_TIME_SHARE = "train/matching_time_share"  # of the wall time of training steps
TRAIN_GRADIENT_NORM = "train/gradient_norm"  # before clipping, after the loss scale is taken out
TRAIN_SENTENCES = "train/sentences"  # seen so far, over all processes
LEARNING_RATE = "optimizer/learning_rate"
NUM_UPDATES = "optimizer/num_updates"
LOSS_SCALE = "fp16/loss_scale"
SKIPPED_STEPS = "fp16/skipped_steps"


def split_key(split: str, name: str) -> str:
    """Return the key of a figure of a split, for example `test/matched_words`."""
    return f"{split}/{name}"
