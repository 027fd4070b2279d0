"""The only application of the example."""
