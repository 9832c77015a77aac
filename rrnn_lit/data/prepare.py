"""`rrnn prepare`: raw sentences to a prepared folder, in stages that can be killed and resumed.

Stages: read raw shards; drop raw duplicates; tokens; drop duplicates again and assign splits by
digest; count the words of train; vectors; dictionary; stores; figures; the manifest last. Shards
have a fixed size and results are taken in shard order, so the bytes written depend on input,
configuration and versions only, and not on the number of processes. This process never holds
the text, only a few bytes a sentence.
"""

import hashlib
import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from rrnn_lit.data import prepare_text, prepare_words
from rrnn_lit.data.deduplicate import EVALUATION, Shares
from rrnn_lit.data.disk_room import check_room
from rrnn_lit.data.executors import Executor, PlainLoop
from rrnn_lit.data.manifest import (
    MANIFEST_FILE,
    installed_versions,
    read_manifest,
    verify_files,
)
from rrnn_lit.data.prepare_config import PrepareConfig
from rrnn_lit.data.prepare_executor import open_executor
from rrnn_lit.data.prepare_finish import OUTPUTS, TIMING_FILE, finish, write_timing
from rrnn_lit.data.prepare_lock import folder_lock
from rrnn_lit.data.prepare_store import write_splits
from rrnn_lit.data.prepare_text import KEPT_FILES
from rrnn_lit.data.progress import StageProgress
from rrnn_lit.data.shards import WORK_FORMAT, WorkFolder, claim_work, has_work, remove_work
from rrnn_lit.data.sources.files import find_files
from rrnn_lit.data.sources.raw import Docstrings, RawSource, TextFiles
from rrnn_lit.data.sources.wmt import download_archives
from rrnn_lit.data.token_store import SPLITS
from rrnn_lit.text.packages import check_packages
from rrnn_lit.whole_files import named
from rrnn_lit.words.dictionary import Scaling, build_dictionary, separated
from rrnn_lit.words.separation import Separation
from rrnn_lit.words.vectors import VECTORS_FILE, WordVectors
from rrnn_lit.words.whitening import WHITENING_FILE
from rrnn_lit.words.word2vec import check_file

WORK_FOLDER = ".work"


class RefusedFolderError(ValueError):
    """`out` holds something that this run must not replace."""


def prepare(config: PrepareConfig, progress: StageProgress) -> dict[str, Any]:
    """Write the prepared folder, or return at once when it is finished already.

    Args:
        config: every option.
        progress: shows the stages.

    Returns:
        The manifest.

    Raises:
        RefusedFolderError: `out` is not ours, in use, or of another configuration.
        ValueError: bad input, with the file and what was wanted; or a package is missing.
        OSError: a file cannot be written; what is finished is kept for the next start.
    """
    check_packages()
    started = time.monotonic()
    out = Path(config.out)
    if config.words.vectors is not None:
        check_file(Path(config.words.vectors), config.words.word_dim)
    _check_folder(out)
    source = _open_source(config, progress)
    recorded = {**config.recorded(), "inputs": _inputs(config, source)}
    out.mkdir(parents=True, exist_ok=True)
    with folder_lock(out):
        manifest = _finished(out, recorded, config.overwrite)
        if manifest is not None:
            progress.note(f"{out} is finished already, with this configuration")
            remove_work(out / WORK_FOLDER)  # a kill may have come in between
            return manifest
        for name in (*OUTPUTS, *KEPT_FILES, TIMING_FILE, MANIFEST_FILE):
            for part in out.glob(f"{name}.*.part"):  # of a start that was killed while it wrote
                part.unlink()
        # in full: the workers of a cluster have a working folder of their own
        work = WorkFolder((out / WORK_FOLDER).resolve(), _fingerprint(recorded))
        if work.resumed:
            progress.note(f"continuing in {out}")
        else:
            _check_room(source, out, progress)
        with closing(open_executor(config, work)) as executor:
            stats = _run(config, source, work, executor, progress)
            workers = executor.workers
        write_timing(out, progress.timing, time.monotonic() - started, workers)
        manifest = finish(out, stats, recorded)
        remove_work(out / WORK_FOLDER)
    return manifest


def _check_room(source: RawSource, out: Path, progress: StageProgress) -> None:
    """Warn of a disk that may fill up.

    Raises:
        OSError: it will, without doubt.
    """
    if isinstance(source, TextFiles) and source.total is not None:
        try:
            warning = check_room(out, source.total, source.packed_bytes)
        except OSError:
            remove_work(out / WORK_FOLDER)  # or the next start would continue it unasked
            raise
        if warning is not None:
            progress.note(warning)


def _check_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise RefusedFolderError(f"out: wanted a folder, got a file: {out}")
    if (out / WORK_FOLDER).is_symlink():
        raise RefusedFolderError(f"out: wanted a folder, got a link: {out / WORK_FOLDER}")
    ours = (out / MANIFEST_FILE).is_file() or has_work(out / WORK_FOLDER)
    if not ours and out.is_dir() and not _is_new(out):
        raise RefusedFolderError(
            f"out: wanted a new or empty folder, or one this command wrote, got {out} with "
            "other files in it"
        )


def _is_new(out: Path) -> bool:
    """Return whether a folder is empty, or as a kill at the very beginning leaves it."""
    found = list(out.iterdir())
    return not found or (found == [out / WORK_FOLDER] and not any(found[0].iterdir()))


def _open_source(config: PrepareConfig, progress: StageProgress) -> RawSource:
    source = config.source
    if source.kind == "docstrings":
        return Docstrings()
    if source.kind == "files":
        return TextFiles(find_files(source.files), source.max_sentences)
    folder = Path(source.download_dir)
    digests = None if source.digests is None else Path(source.digests)
    paths = download_archives(source.years, folder, digests, progress)
    return TextFiles(paths, source.max_sentences)


def _inputs(config: PrepareConfig, source: RawSource) -> dict[str, Any]:
    """Describe everything read, by content."""
    inputs = source.inputs()
    others = {
        "words.vectors": config.words.vectors,
        "words.word_list": config.words.word_list,
        "text.corrections": config.text.corrections,
    }
    for option, path in others.items():
        if path is not None:
            inputs[option] = TextFiles(find_files([path], option), None).inputs()["files"]
    return inputs


def _fingerprint(recorded: dict[str, Any]) -> str:
    content = json.dumps([WORK_FORMAT, recorded, installed_versions()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _finished(out: Path, recorded: dict[str, Any], overwrite: bool) -> dict[str, Any] | None:
    """Return the manifest of a folder that needs no work; clear what may be replaced.

    Raises:
        RefusedFolderError: another configuration is finished there.
    """
    if not (out / MANIFEST_FILE).is_file():
        return None
    manifest = read_manifest(out)
    if manifest["config"] == json.loads(json.dumps(recorded)) and not overwrite:
        verify_files(out, manifest)
        return manifest
    if not overwrite:
        names = [k for k, v in recorded.items() if manifest["config"].get(k) != v]
        raise RefusedFolderError(
            f"out: {out} was prepared with another configuration (different: "
            f"{', '.join(sorted(names))}); choose another folder or give --overwrite true"
        )
    remove_work(out / WORK_FOLDER)
    claim_work(out / WORK_FOLDER)  # or a kill below would leave a folder that nobody owns
    (out / MANIFEST_FILE).unlink()  # before the rest: nothing shall take the folder for finished
    for name in (*OUTPUTS, *KEPT_FILES, TIMING_FILE):
        (out / name).unlink(missing_ok=True)
    return None


def _run(
    config: PrepareConfig,
    source: RawSource,
    work: WorkFolder,
    executor: Executor,
    progress: StageProgress,
) -> dict[str, Any]:
    """Run every stage and return the statistics."""
    out, words = Path(config.out).resolve(), config.words
    # docstrings lie where this machine has its packages, and elsewhere on others
    is_elsewhere = config.scheduler is not None and config.source.kind == "docstrings"
    reader = PlainLoop() if is_elsewhere else executor
    read = prepare_text.read_source(source, work, reader, progress)
    known = prepare_text.write_known_words(words.vectors, words.word_list, work, progress)
    masks, raw_duplicates = prepare_text.drop_raw_duplicates(
        work, read["sizes"], config.source.max_sentences, executor, progress
    )
    num_to_process = sum(int(mask.sum()) for mask in masks)
    settings = prepare_text.with_kept_corrections(config.text, work)
    sizes = prepare_text.process_text(work, masks, settings, known, executor, progress)
    del masks  # a byte a sentence
    splits = config.splits
    shares = Shares(splits.tune, splits.test, splits.holdout, splits.max_sentences)
    assignment, text_stats = prepare_text.share_out(work, sizes, shares, executor, progress)
    counts, cutter = prepare_words.count_words(
        work,
        assignment.codes,
        config.text.max_words,
        words.min_count if words.vectors is None else 0,
        executor,
        progress,
    )
    text = prepare_words.TrainText(work.text, assignment.codes, cutter)
    report = _build_dictionary(config, counts, text, work, progress)
    prepare_text.keep_words(out, known, cutter.whole)
    figures = write_splits(out, work, assignment, cutter, executor, progress)
    left_out = assignment.num_left_out
    return {
        "source": {**read["counters"], "sentences": sum(read["sizes"])},
        "raw_duplicates": raw_duplicates,
        "sentences_to_process": num_to_process,
        **text_stats,
        "left_out_above_splits_max_sentences": {SPLITS[c]: left_out[c] for c in EVALUATION},
        "splits": figures,
        "dictionary": report,
    }


def _build_dictionary(
    config: PrepareConfig,
    counts: prepare_words.Counts,
    text: prepare_words.TrainText,
    work: WorkFolder,
    progress: StageProgress,
) -> dict[str, Any]:
    """Write the dictionary and its whitening; return its part of the statistics."""
    out, words = Path(config.out), config.words
    names, raw_VW = prepare_words.find_vectors(words, counts, text, work.folder, progress)
    dictionary, whitening, report = build_dictionary(
        names, raw_VW, counts, Scaling(words.scaling, words.std, words.seed)
    )
    dictionary, separation_report = _separate(dictionary, config, progress)
    with named(out / VECTORS_FILE):
        dictionary.save(out)
    with named(out / WHITENING_FILE):
        whitening.save(out)
    missing = sum(word not in dictionary.word_ids for word in counts)
    whole = text.cutter.whole
    return {
        **report,
        "distinct_words_of_train": len(counts),
        "distinct_words_without_vector": missing,
        "phrases_left_whole": None if whole is None else len(whole),
        **separation_report,
    }


def _separate(
    dictionary: WordVectors, config: PrepareConfig, progress: StageProgress
) -> tuple[WordVectors, dict[str, Any]]:
    words = config.words
    if words.separation == "none":
        return dictionary, {}
    separation = Separation(words.separation, words.separation_threshold)
    with progress.stage("separate", None, "rounds"):
        return separated(dictionary, separation, progress.advance)
