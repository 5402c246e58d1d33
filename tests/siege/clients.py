"""Clients of the scoring route, who keep what they were answered for every id that they sent."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx

from audit.appender import Receipt
from tests.platform import demo_rows
from tests.siege.ledger import Sent, Told, fingerprint_of_result

PATH = "/models/wine/score"
BATCH_SIZES = {2: 8, 7: 6, 40: 4, 300: 2, 1500: 1}  # rows and their weight; the largest takes several frames
_ONE_BATCH_IN = 10
_AFTER_TROUBLE_S = 0.05
_ODD_VALUES = (None, 1e6, "much", True, -1e300, "NaN")


@dataclass
class Crowd:
    """`count` clients, each of which sends one request after the other, single rows and batches, until told to stop."""

    url: str
    key: str
    count: int
    seed: int
    sent: list[Sent] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    rows_sent: int = 0
    last_success_s: float = 0.0  # time.monotonic()

    async def run(self, until: Callable[[], bool]) -> None:
        """Send until `until()` is true and every client has its last answer."""
        headers = {"x-functions-key": self.key, "content-type": "application/json"}
        limits = httpx.Limits(max_connections=self.count, max_keepalive_connections=self.count)
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60, limits=limits) as session:
            await asyncio.gather(*(self._client(session, number, until) for number in range(self.count)))

    async def _client(self, session: httpx.AsyncClient, number: int, until: Callable[[], bool]) -> None:
        draw = random.Random(f"{self.seed}-{number}")
        sizes, weights = list(BATCH_SIZES), list(BATCH_SIZES.values())
        sent = 0
        while not until():
            sent += 1
            rows = draw.choices(sizes, weights)[0] if draw.randrange(_ONE_BATCH_IN) == 0 else 1
            names = tuple(f"client{number}-{sent}-{row}" for row in range(rows))
            instances = draw.choices(_instances(), k=rows)
            told = await self._ask(session, names, instances)
            if told != "acknowledged":
                await asyncio.sleep(_AFTER_TROUBLE_S * (4 if told == "never connected" else 1))

    async def _ask(self, session: httpx.AsyncClient, names: tuple[str, ...], instances: list[str]) -> Told:
        body = f'{{"instances":[{",".join(instances)}],"ids":{json.dumps(names)}}}'
        began_s = time.monotonic()
        try:
            response = await session.post(PATH, content=body)
        except httpx.TransportError as problem:
            refused = isinstance(problem, httpx.ConnectError)
            sent = Sent(names, "never connected" if refused else "no answer", time.monotonic() - began_s)
        else:
            sent = self._read(names, response, time.monotonic() - began_s)
        self.rows_sent += len(names)
        self.sent.append(sent)
        return sent.told

    def _read(self, names: tuple[str, ...], response: httpx.Response, wait_s: float) -> Sent:
        if response.status_code == 200:
            self.last_success_s = time.monotonic()
            answer = response.json()
            if [result["id"] for result in answer["results"]] != list(names):
                self.unexpected.append(f"{names[0]}: the answer has other ids")
            receipts = tuple(Receipt(**receipt) for receipt in answer["receipt"])
            return Sent(names, "acknowledged", wait_s, receipts, tuple(map(fingerprint_of_result, answer["results"])))
        if response.status_code == 503:
            return Sent(names, "outcome unknown" if "outcome unknown" in response.text else "refused", wait_s)
        self.unexpected.append(f"{names[0]}: status {response.status_code}, {response.text[:200]}")
        return Sent(names, "no answer", wait_s)


@cache
def _instances() -> list[str]:
    """The rows of the demo data, and for each ten of them one with a value that is missing, odd or of a wrong type."""
    rows: list[dict[str, Any]] = [row for row, _ in demo_rows("wine")]
    odd = [rows[number] | {"alcohol": value} for number, value in enumerate(_ODD_VALUES * 3)]
    return [json.dumps(row) for row in (*rows, *odd)]
