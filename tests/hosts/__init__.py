"""Many hosts on one computer: each is a network namespace of Linux, with an address and a clock."""
