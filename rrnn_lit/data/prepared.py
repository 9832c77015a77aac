"""PreparedData: one verified folder written by `rrnn prepare`."""

from pathlib import Path

from rrnn_lit.data.manifest import (
    MANIFEST_FILE,
    DataError,
    file_digest,
    read_manifest,
    verify_files,
)
from rrnn_lit.data.token_store import TokenStore
from rrnn_lit.words.vectors import VECTORS_FILE, WORDS_FILE, WordVectors


class PreparedData:
    """Dictionary and splits of a prepared folder.

    Args:
        folder: what `rrnn prepare --out` wrote.
        verify: compare every file with the digest in the manifest first, about one second a
            gigabyte.

    Raises:
        DataError: no manifest, a missing, cut or changed file.
    """

    def __init__(self, folder: Path, verify: bool = True) -> None:
        self.folder = folder
        self.manifest = read_manifest(folder)
        for name in (WORDS_FILE, VECTORS_FILE):
            if name not in self.manifest["files"]:
                raise DataError(f"{folder / MANIFEST_FILE}: wanted an entry for {name}, got none")
        if verify:
            verify_files(folder, self.manifest)
        self.digest = file_digest(folder / MANIFEST_FILE)
        self.word_vectors = WordVectors.load(folder)

    @property
    def dictionary_digest(self) -> str:
        """SHA-256 over words and vectors: equal only for the same dictionary."""
        files = self.manifest["files"]
        return f"{files['words.txt']['sha256']}-{files['word_vectors.npy']['sha256']}"

    def store(self, split: str) -> TokenStore:
        """Open one split."""
        text = self.manifest["config"].get("text")
        max_words = text.get("max_words") if isinstance(text, dict) else None
        if type(max_words) is not int:
            raise DataError(
                f"{self.folder / MANIFEST_FILE}: wanted a whole number config.text.max_words, "
                f"got {str(max_words)[:100]}"
            )
        return TokenStore(self.folder, split, self.word_vectors.vocab_size, max_words)
