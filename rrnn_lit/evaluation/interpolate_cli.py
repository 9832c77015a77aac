"""The command `rrnn interpolate`: the sentences on the way from one sentence to another."""

import argparse
import json
from typing import Any

from rrnn_lit.codec.command import add_dtype, make_parser, run_command, whole

COMMAND = "interpolate"
_DESCRIPTION = """Decodes vectors on the way from one sentence's vector to another's. The first and
the last line are the two sentences as their own vectors decode. The cosines tell how far each
vector is from both ends."""


def main(options: list[str]) -> int:
    """Run `rrnn interpolate` with these options and return its exit code."""
    return run_command(COMMAND, lambda: _run(_parse(options)))


def _steps(text: str) -> int:
    number = whole(text)
    if number < 2:
        raise argparse.ArgumentTypeError(f"wanted a whole number of at least 2, got {text!r}")
    return number


def _parse(options: list[str]) -> argparse.Namespace:
    parser = make_parser(COMMAND, _DESCRIPTION)
    parser.add_argument("first", metavar="FROM", help="a sentence")
    parser.add_argument("second", metavar="TO", help="another one")
    parser.add_argument(
        "--steps",
        type=_steps,
        default=7,
        metavar="N",
        help="vectors to decode, both ends included, at least 2 (default: 7)",
    )
    parser.add_argument(
        "--method",
        choices=("linear", "spherical"),
        default="linear",
        help="straight on, or turning at constant speed (default: linear)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_dtype(parser)
    return parser.parse_args(options)


def _run(given: argparse.Namespace) -> None:
    from rrnn_lit.codec.sentence_codec import SentenceCodec
    from rrnn_lit.evaluation.probes import cosines, interpolate

    codec = SentenceCodec.load(given.bundle, given.device, given.dtype)
    ends_2S = codec.encode([given.first, given.second], longer="encode")
    share_N, vectors_NS = interpolate(ends_2S[0], ends_2S[1], given.steps, given.method)
    texts = codec.decode(vectors_NS.astype("float32"), batch_size=given.batch_size)
    cosine_N2 = cosines(vectors_NS, ends_2S)
    rows: list[dict[str, Any]] = [
        {
            "share": round(float(share), 6),
            "cosine_from": round(float(cosine[0]), 6),
            "cosine_to": round(float(cosine[1]), 6),
            "text": text,
        }
        for share, cosine, text in zip(share_N, cosine_N2, texts, strict=True)
    ]
    if given.json:
        result = {"from": given.first, "to": given.second, "method": given.method, "steps": rows}
        print(json.dumps(result, ensure_ascii=False))
        return
    print(f"{'share':>6}{'cos from':>10}{'cos to':>8}")
    for row in rows:
        numbers = f"{row['share']:6.2f}{row['cosine_from']:10.3f}{row['cosine_to']:8.3f}"
        print(f"{numbers}  {row['text']}")
