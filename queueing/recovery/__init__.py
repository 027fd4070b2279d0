"""Finding lost work: expired leases, and a Redis that lost its data."""
