"""Recover lost work: jobs with an expired lease, and a Redis that lost its data."""
