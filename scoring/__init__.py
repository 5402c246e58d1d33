"""The hot path: a request's instances are read, judged, scored and recorded."""

__version__ = "0.1.0"
