"""The command: arguments, signals, exit codes, the live view. Only here is logging set up."""
