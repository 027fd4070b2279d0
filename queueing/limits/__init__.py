"""How much may wait and run: backpressure, live limits, backoff."""
