"""What trio_mev costs, beside other ways to do the same. ``scripts/bench`` runs it."""
