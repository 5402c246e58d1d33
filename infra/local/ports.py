"""Free ports on loopback for servers that are stopped and come back on the same port.

They lie below the range from which kernels take the ports of outgoing connections (Linux: 32768-60999). A client that
retries while the server is down could otherwise be given that very port, connect to itself, and keep the server out.
"""

import contextlib
import random
import socket
from collections.abc import Iterator

RANGE = range(12_000, 32_000)
HOST = "127.0.0.1"


def free_ports(tries: int = 20) -> Iterator[int]:
    """Up to `tries` random ports that were free a moment ago; one may be taken before it is used, so try the next."""
    for port in random.SystemRandom().sample(RANGE, tries):
        if is_free(port):
            yield port


def is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind((host, port))
            return True
    return False
