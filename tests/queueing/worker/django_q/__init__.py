"""Tests of queueing/worker/django_q."""
