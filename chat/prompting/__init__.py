"""What the model is sent: persona, conversation context, token budget."""
