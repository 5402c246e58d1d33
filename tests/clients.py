"""Many clients at once: what they were answered, and what the log says was recorded."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Answers:
    """What the clients saw."""

    acknowledged: list[str] = field(default_factory=list)  # ids in answers with status 200
    statuses: Counter[int] = field(default_factory=Counter)
    unknown: list[str] = field(default_factory=list)  # told "outcome unknown", or the connection broke
    unanswered: int = 0  # connections that broke
    last_success_s: float = 0.0  # time.monotonic() of the newest 200


async def hammer(
    url: str,
    key: str,
    model: str,
    instance: dict[str, Any],
    *,
    clients: int,
    until: Callable[[], bool],
    pause_s: float = 0.0,
) -> Answers:
    """`clients` connections score one instance after the other, each until `until()` is true."""
    answers = Answers()
    timeout = httpx.Timeout(30)
    async with httpx.AsyncClient(base_url=url, headers={"x-functions-key": key}, timeout=timeout) as session:

        async def one_client(number: int) -> None:
            sent = 0
            while not until():
                sent += 1
                name = f"client{number}-{sent}"
                body = {"instances": [instance], "ids": [name]}
                try:
                    response = await session.post(f"/models/{model}/score", json=body)
                except httpx.TransportError:
                    answers.unanswered += 1
                    answers.unknown.append(name)
                    await asyncio.sleep(0.05)
                    continue
                answers.statuses[response.status_code] += 1
                if response.status_code == 200:
                    answers.acknowledged += [result["id"] for result in response.json()["results"]]
                    answers.last_success_s = time.monotonic()
                else:
                    if "outcome unknown" in response.text:
                        answers.unknown.append(name)
                    await asyncio.sleep(0.05)
                await asyncio.sleep(pause_s)

        await asyncio.gather(*(one_client(number) for number in range(clients)))
    return answers


def after(seconds: float) -> Callable[[], bool]:
    """True once that many seconds have passed since now."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end
