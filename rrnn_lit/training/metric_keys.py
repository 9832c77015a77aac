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

# what every run logs of its training, whatever its precision
TRAIN_FIGURES = (
    TRAIN_LOSS,
    TRAIN_MATCHED_WORD_RATE,
    TRAIN_DROPPED_WORD_RATE,
    TRAIN_SENTENCES_PER_SECOND,
    TRAIN_MATCHING_TIME_SHARE,
    TRAIN_GRADIENT_NORM,
    TRAIN_SENTENCES,
    LEARNING_RATE,
    NUM_UPDATES,
)
# counts of an evaluated split, by `split_key`
COUNTS = (
    "matched_words",
    "loosely_matched_words",
    "num_words",
    "exact_sentences",
    "num_sentences",
    "strict_matched_words",
    "strict_num_words",
    "strict_exact_sentences",
)
# rate -> the counts it is made of
RATES = {
    "matched_word_rate": ("matched_words", "num_words"),
    "loosely_matched_word_rate": ("loosely_matched_words", "num_words"),
    "exact_sentence_rate": ("exact_sentences", "num_sentences"),
    "strict_matched_word_rate": ("strict_matched_words", "strict_num_words"),
    "strict_exact_sentence_rate": ("strict_exact_sentences", "num_sentences"),
}
SPLIT_FIGURES = (*COUNTS, *RATES)


def split_key(split: str, name: str) -> str:
    """Return the key of a figure of a split, for example `test/matched_words`."""
    return f"{split}/{name}"
