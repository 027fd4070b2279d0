"""Base classes for admin pages of tables that are large and read-only."""

from queueing.admin.readonly import FixedChoicesFilter, LargeTable, ReadOnly, Undeletable

__all__ = ["FixedChoicesFilter", "LargeTable", "ReadOnly", "Undeletable"]
