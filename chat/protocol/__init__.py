"""The protocol: client messages, error events, the schemas and the OpenAPI file of the HTTP API."""
