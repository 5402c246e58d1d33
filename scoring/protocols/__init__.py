"""One way to score, several ways to ask: each protocol reads bodies into instances and writes results in its own shape.

What is judged, scored and recorded never depends on the protocol, so an instance has one outcome whichever way it came.
`scoring.protocols.protocol` is the contract; a new protocol is one module here and its routes in `function_app`.
"""
