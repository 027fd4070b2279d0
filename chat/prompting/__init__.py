"""What the model receives: persona, conversation context and token budget, put together in `prompt.py`."""
