"""Accounts: visitors become users and keep their data, export it, or erase it. See docs/accounts.md."""
