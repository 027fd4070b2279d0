"""Accounts: visitors become users and keep everything, take it along, or have it erased. docs/accounts.md."""
