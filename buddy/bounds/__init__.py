"""What a client may send and hold open, refused before it costs memory: bodies, connections, time."""
