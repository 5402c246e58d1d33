"""The W3C trace context of a request: which trace it belongs to, if its `traceparent` can be believed.

    traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
                 version - trace id - parent id - flags, lower-case hexadecimal

https://www.w3.org/TR/trace-context/#traceparent-header: version ff and ids of zeros are invalid, version 00 has four
fields, and a later version may have more behind them. A header that is malformed counts as absent and is never a
reason to refuse a request. `tracestate` belongs to tracing tools: nothing here reads it, and it is not sent back.
"""

from __future__ import annotations

import re

_IDS = r"-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
_FIRST_VERSION = re.compile("00" + _IDS)
_LATER_VERSION = re.compile("(?!00|ff)[0-9a-f]{2}" + _IDS + r"(?:-[\x21-\x7e]{0,456})?")  # 512 characters in all


def trace_id(traceparent: str | None) -> str | None:
    """The trace id of a header, None if there is no header or it is malformed.

    >>> trace_id("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    '4bf92f3577b34da6a3ce929d0e0e4736'
    >>> trace_id("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more") is None
    True
    """
    if traceparent is None:
        return None
    found = _FIRST_VERSION.fullmatch(traceparent) or _LATER_VERSION.fullmatch(traceparent)
    return found[1] if found else None
