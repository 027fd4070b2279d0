"""What is read and checked first: the settings, the `.env` file, names of variables, private files."""
