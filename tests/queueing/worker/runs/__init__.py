"""Tests of queueing/worker/runs."""
