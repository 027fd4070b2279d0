"""What owners are told: events, positions, progress, and how a client follows them."""
