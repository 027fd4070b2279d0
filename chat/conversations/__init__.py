"""Conversations as a whole: `services.py` begins, renames and deletes them, `api.py` shows them over HTTP."""
