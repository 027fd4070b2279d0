"""Decide how many jobs may wait, start and run: backpressure, limits changed live, backoff."""
