"""Tests of chat/accounts/access."""
