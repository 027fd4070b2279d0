"""Tests of queueing/values."""
