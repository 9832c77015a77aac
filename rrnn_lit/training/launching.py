"""The further processes of a run, which Lightning starts from the first one, end with it.

They would otherwise wait for a first process that was killed, and keep their devices meanwhile.
"""

import os
from collections.abc import Callable
from typing import Any

from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher
from lightning.pytorch.strategies.launchers.launcher import _Launcher

from rrnn_lit.parent_death import die_with_parent

_FIRST = "RRNN_FIRST_PROCESS"  # its number, in the environment of those that it starts


class RunLauncher(_SubprocessScriptLauncher):
    """Lightning's launcher; what it starts can tell that it was started by this process."""

    def launch(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Start the further processes and call the function.

        In a further process, which starts none, it only calls the function.
        """
        if _FIRST in os.environ:
            return super().launch(function, *args, **kwargs)
        os.environ[_FIRST] = str(os.getpid())
        try:
            return super().launch(function, *args, **kwargs)
        finally:
            del os.environ[_FIRST]


def launching(launcher: _Launcher | None) -> _Launcher | None:
    """Return a launcher whose processes end with this one, in place of Lightning's.

    A process that was started so is tied to the first one here; so this is to be called early.
    Other launchers (SLURM, torchrun) look after their processes themselves.
    """
    first = os.environ.get(_FIRST)
    if first is not None and os.environ.get("LOCAL_RANK", "0") != "0":
        die_with_parent(int(first))
    if not isinstance(launcher, _SubprocessScriptLauncher):
        return launcher
    return RunLauncher(launcher.cluster_environment, launcher.num_processes, launcher.num_nodes)
