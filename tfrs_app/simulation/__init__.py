"""A made shop whose every probability is known: tables, truth and oracle."""
