"""Where events come from: one supervised task a connection."""
