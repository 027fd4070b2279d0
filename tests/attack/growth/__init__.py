"""Public inputs grown to their limits with hostile texts: the work grows linearly and holds no event loop."""
