"""Tests of queueing/worker/liveness."""
