"""Markdown to safe HTML, whole or while it grows."""
