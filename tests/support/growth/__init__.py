"""A site that has grown: tables filled in SQL, and all that requests and workers then ask the database."""
