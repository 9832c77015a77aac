"""Results as finished variants would give them."""

from typing import Any

from rrnn_lit.evaluation.compare_results import Point, Result


def make_result(name: str = "ours", holdout: bool = False, **changes: Any) -> Result:
    """A variant that reached 50 % of words in 100 s and 200 steps; half of it after half."""

    def split(words: float) -> dict[str, Any]:
        return {
            "matched_word_rate": words,
            "exact_sentence_rate": words / 10,
            "num_sentences": 1000,
        }

    splits = {"tune": split(0.5), "test": split(0.48)}
    if holdout:
        splits["holdout"] = split(0.47)
    summary = {
        "steps": 200,
        "sentences": 12_800,
        "hidden_size": 256,
        "num_parameters": 548_908,
        "bytes_per_vector": 512,
        "max_words": 16,
        "vocab_size": 59_236,
        "precision": "bf16-mixed",
        "seed": 1234,
        "splits": splits,
    }
    curve = (Point(100, 50.0, 0.25), Point(200, 100.0, 0.5))
    given: dict[str, Any] = {
        "name": name,
        "label": f"the {name}",
        "group": "baseline",
        "cell": "residual",
        "summary": summary,
        "seconds": 100.0,
        "sentences_per_second": 128.0,
        "loss": 66.0,
        "curve": curve,
    }
    return Result(**{**given, **changes})
