"""What it means: an event in, findings out. One file and one page of documentation each."""
