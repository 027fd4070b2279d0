"""The bounds of Daphne, which reads a whole body before the application sees the request.

They bound what a client makes the process hold: bodies (each, and together), the time to send them,
connections, frames of sockets. `factory.install` puts these classes in the place of Daphne's own.
"""
