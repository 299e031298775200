"""Pools: what they hold, what a swap in them gives, and what each block makes of them."""
