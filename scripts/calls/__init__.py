"""What recorded calls say."""
