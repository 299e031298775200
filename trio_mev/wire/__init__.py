"""How it is written: frames to nouns and back, without I/O and without a clock."""
