"""Routes: cycles through pools, and how much of what to send round them."""
