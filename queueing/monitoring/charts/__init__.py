"""Charts as SVG, and their number formats."""
