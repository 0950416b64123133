"""What a user relies on, shown."""
