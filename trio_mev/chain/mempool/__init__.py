"""What is pending, ordered as a builder would, and who competes with whom; without I/O."""
