"""A TLS server whose certificate is of a root of our own, which nothing trusts."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.run import ROOT

_FIXTURES = ROOT / "src/transport/fixtures"


@contextmanager
def untrusted_server() -> Iterator[str]:
    """Returns its address."""
    context = _context()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    accepted, _ = listening.accept()
                    with accepted, contextlib.suppress(OSError):
                        context.wrap_socket(accepted, server_side=True)

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    key = base64.encodebytes((_FIXTURES / "server.key.der").read_bytes()).decode()
    with tempfile.TemporaryDirectory() as folder:
        chain, private = Path(folder) / "crt", Path(folder) / "key"
        chain.write_text(ssl.DER_cert_to_PEM_cert((_FIXTURES / "good.crt.der").read_bytes()))
        private.write_text(f"-----BEGIN PRIVATE KEY-----\n{key}-----END PRIVATE KEY-----\n")
        context.load_cert_chain(chain, private)
    return context
