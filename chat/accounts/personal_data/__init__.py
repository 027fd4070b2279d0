"""What belongs to an owner: merging it into a user's, and erasing it."""
