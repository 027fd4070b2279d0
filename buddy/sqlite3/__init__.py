"""Django's backend for SQLite, with threads that take turns to write."""
