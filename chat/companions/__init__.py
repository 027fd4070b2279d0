"""The companions: one profile each, and the registry."""
