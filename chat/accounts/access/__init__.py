"""Identify who acts and what they may do: owners, sessions, API tokens, and the end of access."""
