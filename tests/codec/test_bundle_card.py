from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from rrnn_lit.codec.bundle import write_bundle
from rrnn_lit.codec.bundle_card import bytes_per_vector, model_card
from rrnn_lit.codec.parts import CodecParts
from tests.codec.parts import tiny_parts


def with_facts(parts: CodecParts, **facts: object) -> CodecParts:
    return replace(parts, facts={**parts.facts, **facts})


def head_of(card: str) -> dict[str, Any]:
    """Return the metadata that model hubs read."""
    empty, head, _ = card.split("---\n", 2)
    assert empty == ""
    return dict(yaml.safe_load(head))


def test_the_head_names_library_task_language_and_figures() -> None:
    head = head_of(model_card(tiny_parts()))
    assert head["library_name"] == "rrnn_lit"
    assert head["pipeline_tag"] == "feature-extraction"
    assert head["language"] == "en"
    assert "sentence-embeddings" in head["tags"]
    (model,) = head["model-index"]
    assert model["name"] == "tiny"
    tune, test = model["results"]
    assert tune["dataset"] == {"type": "synthetic", "name": "synthetic (tune)", "split": "tune"}
    assert test["dataset"]["split"] == "test"
    figures = {metric["type"]: metric["value"] for metric in tune["metrics"]}
    assert figures["matched_word_rate"] == 0.3
    assert figures["strict_exact_sentence_rate"] == 0.05


def test_the_license_is_the_owners_to_name() -> None:
    assert "license" not in head_of(model_card(tiny_parts()))
    assert head_of(model_card(with_facts(tiny_parts(), license="mit")))["license"] == "mit"


@pytest.mark.parametrize("name", ["a: b", 'say "x"', "---", "é #1", "[1, 2]", "true"])
def test_any_name_is_valid_metadata(name: str) -> None:
    card = model_card(with_facts(tiny_parts(), name=name))
    assert yaml.safe_load(card.split("\n---\n")[0])["model-index"][0]["name"] == name
    assert f"# {name}\n" in card


@pytest.mark.parametrize(
    "text",
    [
        "| tune | 20 | 12 | 30.00% | 10.00% | 20.00% | 5.00% |",
        "| dictionary | 71 words |",
        "| hidden size | 20 |",
        "| stored vector | 48 bytes |",
        "| longest training sentence | 12 words with EOS |",
        "| training steps | 10 |",
        "SentenceCodec.load(",
        "tokenizer: treebank",
        "training left out sentences of 12 words and more",
    ],
)
def test_figures_come_with_what_they_hold_for(text: str) -> None:
    assert text in model_card(tiny_parts())


def test_a_compressor_decides_the_bytes_and_has_its_own_figures() -> None:
    parts = tiny_parts(compressor=True)
    assert bytes_per_vector(parts) == 16
    assert bytes_per_vector(tiny_parts()) == 48
    card = model_card(parts)
    assert "| stored vector | 16 bytes |" in card
    assert "No evaluation of these weights is recorded" in card
    figures = {**parts.facts["splits"]["tune"], "matched_word_rate": 0.1234}
    card = model_card(with_facts(parts, compressor={"splits": {"tune": figures}}))
    names = [r["dataset"]["name"] for r in head_of(card)["model-index"][0]["results"]]
    assert names == ["synthetic (tune)", "synthetic (test)", "synthetic (tune, compressed)"]
    assert "30.00%" in card.split("through the compressor")[0]
    assert "12.34%" in card.split("through the compressor")[1]


def test_a_model_without_figures_says_so() -> None:
    card = model_card(with_facts(tiny_parts(), splits={}))
    assert "No evaluation of these weights is recorded" in card
    assert "model-index" not in head_of(card)


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"finished": False}, "was not finished"),
        ({"text_note": "The list was not at hand."}, "The list was not at hand."),
    ],
)
def test_limits_of_this_very_model_are_named(facts: dict[str, object], text: str) -> None:
    assert text not in model_card(tiny_parts())
    assert text in model_card(with_facts(tiny_parts(), **facts))


def test_facts_may_be_missing() -> None:
    assert "unknown" in model_card(replace(tiny_parts(), facts={}))


def test_the_card_is_the_readme_of_a_bundle(tmp_path: Path) -> None:
    write_bundle(tiny_parts(), tmp_path / "bundle")
    assert (tmp_path / "bundle" / "README.md").read_text() == model_card(tiny_parts())
