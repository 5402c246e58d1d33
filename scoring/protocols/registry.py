"""The protocols by name, for those who choose one without importing what it needs."""

from __future__ import annotations

from typing import Literal

from scoring.protocols.mlflow import Mlflow
from scoring.protocols.native import Native
from scoring.protocols.open_inference import OpenInference
from scoring.protocols.protocol import Protocol

ProtocolName = Literal["native", "open_inference", "mlflow"]

PROTOCOLS: dict[ProtocolName, Protocol] = {
    "native": Native(),
    "open_inference": OpenInference(),
    "mlflow": Mlflow(),
}
