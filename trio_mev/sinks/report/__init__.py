"""What happened in a run, on one page: collected while it runs, written when it is over."""
