"""Schemas of the HTTP API, with camelCase field names. docs/protocol.md explains each field."""
