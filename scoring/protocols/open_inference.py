"""The Open Inference Protocol, version 2, with Triton's binary tensor data: tensors in, tensors out.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md

    {"id": "optional", "inputs": [{"name": "age", "shape": [2], "datatype": "FP64", "data": [41, 17.5]}, …],
     "outputs": [{"name": "predict"}]}

    {"model_name": "credit", "model_version": "1", "id": "…",
     "parameters": {"request_id": "…", "classes": "[\\"bad\\",\\"good\\"]", "receipt": "[{\\"blob\\":…}]"},
     "outputs": [{"name": "predict", "datatype": "BYTES", "shape": [2], "data": ["good", ""]}]}

Binary tensors follow the JSON, whose length the header Inference-Header-Content-Length then says, of a request and of
an answer. `input_tensors`, `tensor_instances` and `requested_outputs` say what is taken, `signature` what is answered.
The protocol's parameters are texts, numbers or booleans; a list is therefore sent as the text of its JSON.

As in the other protocols, what is wrong with one instance never fails its neighbours: a value of the wrong type, null,
NaN, a tensor that is no feature's, or none for a feature. What is no request at all raises `BadRequest`, and so does a
`model_name` (KServe's client sends one) that is another model's than the route's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from audit.writer import Receipt
from scoring.bundle import Manifest
from scoring.content import Content, Reply
from scoring.errors import BadRequest, shown
from scoring.fields import object_fields, request_id_field
from scoring.json_body import read_json, type_name
from scoring.protocols.input_tensors import read_inputs
from scoring.protocols.output_columns import column
from scoring.protocols.protocol import Findings, ScoreRequest, Terms
from scoring.protocols.requested_outputs import RequestedOutput, requested_outputs
from scoring.protocols.signature import classes_text, outputs_of
from scoring.protocols.tensor_instances import to_instances
from scoring.protocols.tensors import write_binary

HEADER = "Inference-Header-Content-Length"
BINARY = "application/octet-stream"

_FIELDS = frozenset(("id", "inputs", "outputs", "parameters", "model_name", "model_version"))
_EXAMPLE = '{"inputs": [{"name": …, "shape": [1], "datatype": "FP64", "data": [1.5]}]}'

_encoder = msgspec.json.Encoder()


class OpenInference:
    """Reads and writes the Open Inference Protocol."""

    def decode(self, content: Content, terms: Terms) -> ScoreRequest:
        """The request in a body; raises `BadRequest`."""
        text, binary = _split(content)
        value, plain = read_json(text)
        fields = object_fields(value, _FIELDS, _EXAMPLE)
        _check_model(fields, terms.manifest)
        request_id = None if fields.get("id") == "" else request_id_field(fields, "id")
        wishes = requested_outputs(fields, outputs_of(terms.manifest))
        given = read_inputs(fields.get("inputs"), binary, terms.max_instances)
        found = to_instances(given, terms.manifest)
        return ScoreRequest(found.instances, found.ids, request_id, plain and given.plain, wishes)

    def encode(self, findings: Findings) -> OpenInferenceAnswer:
        """The outputs that were asked for, rows in the order of the request."""
        manifest = findings.manifest
        head = {"model_name": manifest.name, "model_version": manifest.version, "id": findings.request_id}
        parameters = {"request_id": findings.request_id}
        if manifest.classes:
            parameters["classes"] = classes_text(manifest)
        tensors = [_written(wanted, findings) for wanted in findings.wishes]
        outputs = _encoder.encode([described for described, _ in tensors])
        return OpenInferenceAnswer(head, parameters, outputs, [data for _, data in tensors if data is not None])


class OpenInferenceAnswer(msgspec.Struct, frozen=True):
    """The answer's JSON but for its receipts, and its binary tensors."""

    head: dict[str, str]
    parameters: dict[str, str]
    outputs: bytes
    binary: list[bytes]

    def reply(self, receipts: Sequence[Receipt]) -> Reply:
        """The whole answer, in JSON alone unless an output is binary."""
        parameters = self.parameters | {"receipt": _encoder.encode(receipts).decode()}
        head = _encoder.encode(self.head | {"parameters": parameters})
        text = b"".join((head[:-1], b',"outputs":', self.outputs, b"}"))
        if not self.binary:
            return Reply(text)
        return Reply(b"".join((text, *self.binary)), kind=BINARY, headers={HEADER: str(len(text))})


def _split(content: Content) -> tuple[bytes, bytes | None]:
    """The JSON of a body, and the bytes behind it; None where no header says that there are any."""
    given, body = content.json_bytes.strip(), content.body
    if not given:
        text, binary = body, None
    else:
        if not (given.isascii() and given.isdigit() and len(given) <= 18 and 0 < int(given) <= len(body)):
            raise BadRequest(
                f"{HEADER}: expected the length of the body's JSON, 1 to {len(body):,} bytes, found {shown(given)}"
            )
        text, binary = body[: int(given)], body[int(given) :]
    if not text.strip():
        raise BadRequest(f"the body is empty; send JSON such as {_EXAMPLE}", "not_json")
    return text, binary


def _check_model(fields: dict[str, Any], manifest: Manifest) -> None:
    """Whether a request that names its model means this one."""
    for field, served in (("model_name", manifest.name), ("model_version", manifest.version)):
        given = fields.get(field)
        if given in (None, "", served):
            continue
        found = shown(given) if type(given) is str else type_name(given)
        raise BadRequest(
            f"{field}: found {found}, and the request was sent to {served!r}; leave it out or send it there"
        )


def _written(wanted: RequestedOutput, findings: Findings) -> tuple[dict[str, Any], bytes | None]:
    """An output's entry in the JSON, and its bytes if it is binary."""
    output, elements = wanted.tensor, column(wanted.tensor, findings)
    shape = [len(findings.ids)] if output.width is None else [len(findings.ids), output.width]
    entry: dict[str, Any] = {"name": output.name, "datatype": output.datatype, "shape": shape}
    if not wanted.binary:
        return entry | {"data": elements}, None
    data = write_binary(output.datatype, elements)
    return entry | {"parameters": {"binary_data_size": len(data)}}, data
