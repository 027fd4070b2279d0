"""The code behind `make production`: the production shape on one machine, from the files that are deployed.

units.py       reads the units of systemd
servers.py     describes PostgreSQL, nginx with a certificate, and the processes of the units
certificate.py writes the certificate
__main__.py    starts and stops all of them
"""
