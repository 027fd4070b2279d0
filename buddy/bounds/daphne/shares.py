"""Counts of what the clients of this process hold."""

from collections import Counter


class Shares:
    """What the clients of this process hold, in all and by address."""

    def __init__(self) -> None:
        self._by_client: Counter[str] = Counter()
        self.total = 0

    def add(self, client: str, amount: int) -> None:
        """Add an amount, which may be negative."""
        self.total += amount
        self._by_client[client] += amount
        if not self._by_client[client]:
            del self._by_client[client]

    def of(self, client: str) -> int:
        """Return what a client holds; 0 if its address is unknown."""
        return self._by_client[client] if client else 0
