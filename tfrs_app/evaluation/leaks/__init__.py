"""The leak firewall: histories that see the target, features that know the future."""
