"""`rrnn sweep dashboard`: optuna-dashboard over the studies of a storage, until it is stopped.

It asks for no password and can delete studies: whoever reaches the port may use it.
"""

import ipaddress
from collections.abc import Callable
from importlib import import_module
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from rrnn_lit.search.storage import SweepStorage


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # a browser keeps connections open; they do not hold up the end
    allow_reuse_address = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Write no line for every request: the page asks every few seconds."""


def serve(storage: SweepStorage, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the dashboard until the process is stopped.

    Args:
        storage: where the studies are.
        host: address to listen on; 127.0.0.1 is seen by this machine only.
        port: port to listen on; 0 takes a free one.
        say: gets the address, and a warning if other machines can see it.

    Raises:
        ValueError: the package is not installed, or the address cannot be had.
    """
    try:
        wsgi = import_module("optuna_dashboard").wsgi
    except ImportError as error:
        raise ValueError(
            "wanted the package optuna-dashboard, it is not installed;"
            " pip install 'rrnn_lit[dashboard]'"
        ) from error
    try:
        server = make_server(
            host, port, wsgi(storage), server_class=_Server, handler_class=_QuietHandler
        )
    except OverflowError as error:
        raise ValueError(f"--port: wanted a number from 0 to 65535, got {port}") from error
    except OSError as error:  # taken, or no address of this machine
        raise ValueError(
            f"--host, --port: wanted a free address, got {host}:{port}: {error.strerror}"
        ) from error
    with server:
        say(f"dashboard: http://{host}:{server.server_port}/dashboard (Ctrl-C stops it)")
        if not _is_local(host):
            say(f"warning: no password; whoever reaches {host} can change the studies")
        server.serve_forever()


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
