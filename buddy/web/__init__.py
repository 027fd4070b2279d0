"""A web process: its handler and middlewares, its figures, the watch of its event loop, and its stop."""
