"""The runs of a worker: handlers, their threads and output, and what their ends mean."""
