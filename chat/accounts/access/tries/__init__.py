"""Tries: each comparison of a password, a code, a link or a token is counted before it."""
