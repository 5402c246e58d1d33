"""What the benchmarks share: a service to measure, clients that time their requests, percentiles, a table.

Clients are closed loops: each sends its next request when the one before is answered. So a stall of the service shows
as one long request and not as all those that would have come meanwhile.
"""

from __future__ import annotations

import http.client
import json
import math
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from scoring.bundle import Bundle, Feature

_TIMEOUT_S = 60.0


@contextmanager
def service(settings: Mapping[str, str | None] | None = None) -> Iterator[LocalHost]:
    """The whole service, its log on an Azurite of its own; both are gone afterwards."""
    with (
        Azurite() as azurite,
        LocalHost(env={"HYPERPLANE_STORAGE": azurite.connection_string, **(settings or {})}) as host,
    ):
        yield host


class Connection:
    """One kept-alive connection that posts bodies to one path and expects a 200."""

    def __init__(self, host: LocalHost, path: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=_TIMEOUT_S)
        self._path = path
        self._headers = {"x-functions-key": host.key, "content-type": "application/json"}

    def post(self, body: bytes) -> bytes:
        """The answer's body; `RuntimeError` for any status but 200."""
        self._connection.request("POST", self._path, body, self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"the service answered {response.status} to {self._path}: {answer[:300].decode()}")
        return answer

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


class Loop:
    """A client in a thread: one request after the other until it is stopped. `times_s` are those of its requests.

    The connection is its own from then on; it ends it.
    """

    def __init__(self, connection: Connection, body: bytes) -> None:
        self.times_s: list[float] = []
        self._connection = connection
        self._body = body
        self._over = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> list[float]:
        """Stop after the request that is under way; raises what went wrong, if anything did."""
        self._over.set()
        self._thread.join()
        if self._failure:
            raise self._failure
        return self.times_s

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                began_s = time.perf_counter()
                self._connection.post(self._body)
                self.times_s.append(time.perf_counter() - began_s)
        except Exception as failure:  # noqa: BLE001  raised again by `stop`
            self._failure = failure
        finally:
            self._connection.close()


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed.

    >>> percentile([4.0, 1.0, 3.0, 2.0], 50), percentile([4.0, 1.0, 3.0, 2.0], 99)
    (2.0, 4.0)
    """
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]


def random_instances(bundle: Bundle, count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Instances drawn feature by feature around the training means, inside the training range."""
    draw = random.Random(seed)  # noqa: S311  nothing secret
    features = bundle.manifest.features
    return [{feature.name: _value(feature, draw) for feature in features} for _ in range(count)]


def request_body(instances: Sequence[Mapping[str, Any]]) -> bytes:
    """A request of the native protocol."""
    return json.dumps({"instances": instances}).encode()


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Two columns, the second to the right."""
    left = max(len(name) for name, _ in rows)
    right = max(len(value) for _, value in rows)
    return "\n".join(f"{name:<{left}}  {value:>{right}}" for name, value in rows)


def _value(feature: Feature, draw: random.Random) -> Any:
    if feature.categories:
        return draw.choice(feature.categories)
    value = draw.gauss(feature.mean or 0.0, feature.deviation or 1.0)
    low = value if feature.minimum is None else feature.minimum
    high = value if feature.maximum is None else feature.maximum
    value = min(max(value, low), high)
    return round(value) if feature.type == "integer" else value
