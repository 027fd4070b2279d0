"""The HTTP API, its problem details, the event stream and the pages."""
