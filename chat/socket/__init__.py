"""The WebSocket: the consumer, its client, the handlers of client messages, flow control, live rendering."""
