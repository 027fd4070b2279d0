"""OpenTelemetry: where the trace of a job begins. `QUEUEING["TRACES"]` turns it on."""

from queueing.tracing import arrived

__all__ = ["arrived"]
