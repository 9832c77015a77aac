"""What a run says at its end: reconstructed sentences, figures, and where everything is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from rrnn_lit.training.samples import Reconstruction, reconstruction_table
from rrnn_lit.training.summary import print_summary


def print_outcome(
    folder: Path, summary: dict[str, Any], reconstructions: Sequence[Reconstruction]
) -> None:
    """Print the end of a run.

    Args:
        folder: the run's folder.
        summary: its `summary.json`.
        reconstructions: sentences of tune.
    """
    console = Console()
    console.print(reconstruction_table(reconstructions, "sentences of tune, never trained on"))
    print_summary(summary, console)
    console.print(f"the run is in {folder}", highlight=False)
