"""The two ends of bench/streams.py: a provider whose tokens are times, and clients that read them."""
