"""What there is: frozen nouns. Nothing here awaits, reads a clock or draws a random number."""
