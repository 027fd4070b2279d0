"""Tests of chat/accounts/pages."""
