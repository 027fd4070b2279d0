"""Tests of chat/documents/analysis."""
