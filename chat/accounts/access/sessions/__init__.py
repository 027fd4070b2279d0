"""Sessions: where they are stored, their copies in memory, and how long they last."""
