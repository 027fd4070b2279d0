"""The events that owners of jobs get, and how clients follow them."""
