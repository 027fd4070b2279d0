"""Requests a second of the web server, beside those of bare views of Django on the same server."""
