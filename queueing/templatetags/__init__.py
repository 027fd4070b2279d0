"""Template tags and filters of the engine."""
