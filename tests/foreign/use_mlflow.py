"""What MLflow's ScoringServerClient gets from a server: run in its own environment, see `foreign_client.py`.

The client is made of a host and a port and posts to `/invocations` below them. A "port" with a path behind it makes it
ask a model by name, with nothing of the client changed; it can send no key.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # read when mlflow is imported

import numpy as np
import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

Answer = dict[str, Any]


def main(url: str, _key: str) -> None:
    """Go through the client's whole sequence, and print what came of it."""
    sent = json.load(sys.stdin)
    found = {
        "facts": facts(url, sent["breast-cancer"]),
        "answers": {
            way: {model: read(client(url, model).invoke(ask(rows))) for model, rows in sent.items()}
            for way, ask in WAYS.items()
        },
        "errors": errors(url, sent["wine"]),
    }
    json.dump(found, sys.stdout)


def client(url: str, model: str | None = None) -> Any:
    """The client of a model, or of the default model."""
    parts = urlsplit(url)
    return ScoringServerClient(parts.hostname, parts.port if model is None else f"{parts.port}/models/{model}")


def facts(url: str, rows: Answer) -> Answer:
    """What a client waits for and asks first, and the default model's answer in both of its shapes."""
    server = client(url)
    server.wait_server_ready(timeout=10)
    server.ping()
    answer = server.invoke(frame(rows), params={})
    table, array = answer.get_predictions(), answer.get_predictions("ndarray", dtype=np.object_)
    return {
        "version": json.loads(server.get_version())["version"],
        "default model": answer["model"],
        "shapes": [list(table.shape), list(array.shape)],
        "shapes agree": listed(table[0]) == listed(array),
        "written and read": type(answer).from_json(answer.to_json()) == answer,
        "receipt": answer["receipt"],
    }


def frame(rows: Answer) -> Any:
    """`dataframe_split`, under an index that is no row number."""
    return pd.DataFrame(rows["rows"], columns=rows["features"], index=rows["ids"])


def shuffled_frame(rows: Answer) -> Any:
    """The same with its columns in another order."""
    return frame(rows)[rows["features"][::-1]]


def array(rows: Answer) -> Any:
    """`inputs` as rows without names, a bare NaN where a value is missing."""
    return np.array(rows["rows"], dtype=np.float64)


def dicts(rows: Answer) -> Any:
    """`inputs` as objects."""
    return [dict(zip(rows["features"], row, strict=True)) for row in rows["rows"]]


def columns(rows: Answer) -> str:
    """`inputs` as tensors of shape [n, 1] by name, in JSON of our own: see `dict of arrays` below."""
    return json.dumps({"inputs": {name: tensor.tolist() for name, tensor in tensors(rows).items()}})


def records(rows: Answer) -> str:
    """`dataframe_records`, and the ids that other formats have no place for."""
    return json.dumps({"dataframe_records": dicts(rows), "ids": rows["ids"], "request_id": "mlflow-1"})


WAYS: dict[str, Callable[[Answer], Any]] = {
    "frame": frame,
    "shuffled frame": shuffled_frame,
    "array": array,
    "dicts": dicts,
    "columns": columns,
    "records": records,
}


def tensors(rows: Answer) -> dict[str, Any]:
    """Each feature's values as a tensor of shape [n, 1]."""
    return dict(zip(rows["features"], np.array(rows["rows"], dtype=np.float64).T[:, :, np.newaxis], strict=True))


def read(answer: Any) -> Answer:
    """The predictions as MLflow reads them, and beside them what only our answers hold."""
    results = answer["results"]
    found = {
        "predict": listed(answer.get_predictions()[0]),
        "outcome": [result["outcome"] for result in results],
        "reasons": [",".join(result["reasons"]) for result in results],
        "instance_id": [result["id"] for result in results],
        "request_id": answer["request_id"],
    }
    classes = next((list(result["probabilities"]) for result in results if "probabilities" in result), [])
    if classes:
        found["predict_proba"] = [[result.get("probabilities", {}).get(name) for name in classes] for result in results]
    return found


def listed(values: Any) -> list[Any]:
    """Labels, "" where there is none; or numbers, NaN where there is none."""
    values = list(values)
    if any(isinstance(value, str) for value in values):
        return [value if isinstance(value, str) else "" for value in values]
    return [float("nan") if value is None else float(value) for value in values]


def errors(url: str, rows: Answer) -> dict[str, Answer]:
    """The client's own errors."""
    wine = client(url, "wine")
    return {
        "unknown model": refused(lambda: client(url, "beer").invoke(frame(rows))),
        "parameters": refused(lambda: wine.invoke(frame(rows), params={"temperature": 0.7})),
        "frame without names": refused(lambda: wine.invoke(pd.DataFrame(array(rows)))),
        "no rows": refused(lambda: wine.invoke(frame(rows)[:0])),
        "dict of arrays": refused(lambda: wine.invoke(tensors(rows))),
    }


def refused(call: Callable[[], Any]) -> Answer:
    """What an invocation raised."""
    try:
        call()
    except Exception as problem:  # noqa: BLE001 - the client raises nothing narrower
        return {"type": type(problem).__name__, "text": str(problem)}
    return {"type": "none", "text": "it was answered"}


if __name__ == "__main__":
    main(*sys.argv[1:])
