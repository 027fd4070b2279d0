"""What clients send and receive: messages, schemas, the OpenAPI document."""
