"""Tests of queueing/worker/results."""
