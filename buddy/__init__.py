"""The project: settings, addresses, health, metrics."""
