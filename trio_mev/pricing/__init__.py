"""How much, off chain: arithmetic only, with the time passed in."""
