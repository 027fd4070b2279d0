"""`make docs`: build the docs as a site in var/docs. A warning is an error."""
