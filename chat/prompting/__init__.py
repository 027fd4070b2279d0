"""The prompt that the model receives: persona, conversation context and token budget (`prompt.py`)."""
