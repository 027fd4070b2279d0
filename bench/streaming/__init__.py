"""The two ends of `bench/streams.py`: a provider that stamps its tokens, and clients that read the stamps."""
