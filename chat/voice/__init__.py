"""Voice messages: `formats/` looks at what came, `services.py` accepts it, `jobs.py` has it transcribed.

The call itself is in `chat/upstream/transcription.py`; docs/voice.md tells the whole way.
"""
