"""How much, on chain: exact integer arithmetic."""
