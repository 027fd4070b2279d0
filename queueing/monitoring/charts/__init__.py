"""Charts as SVG, and the formats of their numbers."""
