"""How long a job waits: its position, the forecast of its start, and the reason of a delay."""
