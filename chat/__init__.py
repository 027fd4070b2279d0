"""The application: four companions in a chat."""
