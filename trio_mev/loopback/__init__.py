"""Servers on 127.0.0.1 that speak as a node and as exchanges do: the demo, replays, tests."""
