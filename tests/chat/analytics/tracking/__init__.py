"""Tests of chat/analytics/tracking."""
