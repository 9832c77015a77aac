"""Whether W&B sends what it gets: online for those who have logged in.

Loads nothing heavy; `rrnn sweep` asks as well.
"""

import netrc
import os


def choose_mode() -> str:
    """Set WANDB_MODE for this process unless the user did, and return it.

    `online` needs an API key in the environment or in the netrc file that `wandb login` writes.
    """
    if "WANDB_MODE" not in os.environ:
        os.environ["WANDB_MODE"] = "online" if _logged_in() else "offline"
    return os.environ["WANDB_MODE"]


def _logged_in() -> bool:
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        hosts = netrc.netrc().hosts
    except (OSError, netrc.NetrcParseError):
        return False
    return any("wandb" in host for host in hosts)
