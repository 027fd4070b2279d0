"""The WebSocket: one consumer, its handlers, flow control, live rendering."""
