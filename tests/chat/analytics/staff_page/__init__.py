"""Tests of chat/analytics/staff_page."""
