"""The connection of a client: the consumer, by WebSocket or HTTP, the handlers of messages, flow control."""
