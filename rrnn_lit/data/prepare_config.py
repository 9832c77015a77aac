"""PrepareConfig: every option of `rrnn prepare`, checked.

Values live in `configs/prepare.yaml`; nothing here has a scientific default.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rrnn_lit.text.pipeline import TextSettings
from rrnn_lit.words.separation import Separation

WMT_YEARS = range(2007, 2018)
# of trained vectors: more means nothing, and far more is no number for those who compute with it
_MOST = {
    "word_dim": 100_000,
    "min_count": 2**53,
    "epochs": 1_000_000,
    "window": 10_000,
    "negative": 10_000,
}
SEPARATION_OPTIONS = ("separation", "separation_threshold")


@dataclass(frozen=True)
class SourceSettings:
    """Where raw sentences come from.

    Args:
        kind: docstrings of the installed packages this project depends on; text files; or the
            WMT News Crawl archives, downloaded (about 20 GB for all years).
        files: text files or globs for kind files: one sentence a line, UTF-8; .gz, .xz and .bz2
            are unpacked.
        years: years of News Crawl for kind wmt, 2007 to 2017.
        download_dir: folder for the archives of kind wmt; unfinished downloads continue.
        digests: file with expected SHA-256 digests as `sha256sum` prints them, for kind wmt;
            null trusts the digest of the first download.
        max_sentences: read only this many sentences, duplicates included; null reads all.
    """

    kind: Literal["docstrings", "files", "wmt"]
    files: list[str]
    years: list[int]
    download_dir: str
    digests: str | None
    max_sentences: int | None

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        if self.kind == "files":
            _want(bool(self.files), "source.files", "at least one file for kind files", self.files)
        if self.kind == "wmt":
            good = bool(self.years) and set(self.years) <= set(WMT_YEARS)
            _want(good, "source.years", "years from 2007 to 2017", self.years)
        if self.max_sentences is not None:
            _at_least("source.max_sentences", self.max_sentences, 1)


@dataclass(frozen=True)
class WordSettings:
    """Where word vectors come from and how they are scaled.

    Args:
        vectors: word2vec file, .bin, .txt or .vec, also packed; null trains on the train split.
        word_dim: length of a word vector, at least 1; a file must agree.
        dictionary: corpus keeps the words of the train split, full every word of the file.
        scaling: whiten each dimension to `std`, give vectors length 1 (unit), or leave them.
        std: standard deviation of each dimension after whitening, above 0.
        seed: of special and of trained vectors, any non-negative integer.
        word_list: for trained vectors, file of known words and phrases, one a line (also .gz,
            .xz), that decides which contractions and phrases become one token; null: none.
        min_count: for trained vectors, rarer words get none and become UNK, and rarer phrases
            are cut into their words; at least 1.
        epochs: for trained vectors, passes over the text, at least 1.
        window: for trained vectors, neighbours looked at on either side, at least 1.
        negative: for trained vectors, noise words per word, at least 1.
        sample: for trained vectors, words above this share of the text are thinned; 0 disables.
        algorithm: for trained vectors, cbow or skipgram.
        separation: push words of near-identical direction apart: none; groups (number words,
            months, weekdays, each among themselves); or all pairs of the dictionary.
        separation_threshold: largest cosine that such a pair keeps, in [0, 1); none ignores it.
    """

    vectors: str | None
    word_dim: int
    dictionary: Literal["corpus", "full"]
    scaling: Literal["whiten", "unit", "none"]
    std: float
    seed: int
    word_list: str | None
    min_count: int
    epochs: int
    window: int
    negative: int
    sample: float
    algorithm: Literal["cbow", "skipgram"]
    separation: Literal["none", "groups", "all"]
    separation_threshold: float

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        for name, most in _MOST.items():
            _at_least(f"words.{name}", getattr(self, name), 1, most)
        _at_least("words.seed", self.seed, 0, 2**32 - 1)
        _want(self.std > 0, "words.std", "a number above 0", self.std)
        _want(0 <= self.sample < 1, "words.sample", "a share in [0, 1)", self.sample)
        Separation(self.separation, self.separation_threshold)  # checks both
        if self.vectors is None:
            full = self.dictionary == "full"
            _want(not full, "words.dictionary", "corpus, since vectors are trained", "full")
        else:
            no_list = self.word_list is None
            _want(no_list, "words.word_list", "null beside words.vectors", self.word_list)


@dataclass(frozen=True)
class SplitSettings:
    """How sentences are shared out; by digest, so that more text moves no sentence.

    Args:
        tune: share of the sentences for sweeps, in (0, 1).
        test: share that early stopping looks at, in (0, 1).
        holdout: share that is opened for final figures only, in (0, 1).
        max_sentences: most sentences in each of the three; those with the highest digests above
            it are left out and not given to train.
    """

    tune: float
    test: float
    holdout: float
    max_sentences: int

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        for name in ("tune", "test", "holdout"):
            share = getattr(self, name)
            _want(0 < share < 1, f"splits.{name}", "a share above 0 and below 1", share)
        total = self.tune + self.test + self.holdout
        _want(total < 1, "splits", "shares of tune, test and holdout that leave a train", total)
        _at_least("splits.max_sentences", self.max_sentences, 1)


@dataclass(frozen=True)
class PrepareConfig:
    """Everything `rrnn prepare` is told.

    Args:
        source: where raw sentences come from.
        text: how sentences become tokens.
        words: where word vectors come from.
        splits: how sentences are shared out.
        out: folder to write; must be new, empty, or an earlier result of this command.
        processes: worker processes, at least 1; null uses every core. The result is the same.
        overwrite: replace what another configuration left in `out`.
        scheduler: address of a Dask scheduler, as tcp://host:8786, whose workers do the work in
            place of processes of this machine; they must see `out`, and a file of corrections, at
            the same path, and have the same versions. The result is the same.
    """

    source: SourceSettings
    text: TextSettings
    words: WordSettings
    splits: SplitSettings
    out: str
    processes: int | None
    overwrite: bool
    scheduler: str | None = None

    def __post_init__(self) -> None:
        """Check what the types leave open."""
        _want(bool(self.out) and "\0" not in self.out, "out", "a folder", repr(self.out))
        if self.processes is not None:
            _at_least("processes", self.processes, 1)

    def recorded(self) -> dict[str, Any]:
        """Return the part that decides the result, without paths of this machine."""
        content = asdict(self)
        for name in ("out", "processes", "overwrite", "scheduler"):
            del content[name]
        for group, name in (("words", "vectors"), ("words", "word_list"), ("text", "corrections")):
            if content[group][name] is not None:
                content[group][name] = Path(content[group][name]).name
        if self.words.separation == "none":  # folders written before it could be asked for
            for name in SEPARATION_OPTIONS:
                del content["words"][name]
        source = content["source"]
        for name in ("files", "download_dir", "digests"):
            del source[name]
        if self.source.kind != "wmt":
            del source["years"]
        return content


def _want(good: bool, option: str, wanted: str, got: object) -> None:
    if not good:
        raise ValueError(f"{option}: wanted {wanted}, got {got}")


def _at_least(option: str, number: int, least: int, most: int = 2**53) -> None:
    _want(number >= least, option, f"{least} or more", number)
    _want(number <= most, option, f"at most {most}", number)
