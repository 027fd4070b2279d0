"""Reading a document with the model, part by part, and writing the report."""
