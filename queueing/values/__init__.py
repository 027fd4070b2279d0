"""Ids, texts, JSON and addresses, in forms that every store and client accepts."""
