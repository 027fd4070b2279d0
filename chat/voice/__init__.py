"""Voice messages: `formats/` checks a file, `services.py` accepts it, `jobs.py` transcribes it.

`api.py` serves HTTP, `availability.py` says whether recordings can be sent, `texts.py` holds the sentences
for users. `chat/upstream/transcription.py` calls the provider; docs/voice.md describes the whole way.
"""
