"""Log lines of the host and its functions, to standard error."""

import logging

REQUESTS = "hyperplane.requests"  # the logger that has a line for each request
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up_log(*, requests: bool = False) -> None:
    """Show what functions log from INFO on; the SDKs' own lines only from WARNING on: they hold headers and URLs. The
    lines of requests too, unless all of them are wanted: those of requests that went well are many."""
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    for name in ("azure", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(REQUESTS).setLevel(logging.INFO if requests else logging.WARNING)
