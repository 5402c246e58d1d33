"""Log lines of the host and its functions, to standard error."""

import logging

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up_log() -> None:
    """Show what functions log from INFO on; the SDKs' own lines only from WARNING on: they hold headers and URLs."""
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    for name in ("azure", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
