"""`tfrs-app init`: from a shop's files to a config that can be read and corrected."""
