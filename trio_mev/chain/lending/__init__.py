"""Aave V3: what a position is worth, when it can be liquidated, and what that gives; exact."""
