"""What each request and each handshake of a socket passes before a view sees it."""
