"""Prices whose truth is known, quoted by sources with known errors."""
