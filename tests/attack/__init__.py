"""Attacks on the product: every actor against everything that it can call, generated from the code."""
