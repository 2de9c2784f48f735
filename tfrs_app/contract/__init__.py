"""What the stages agree on, in pure Python: config, features, artefacts, signatures."""
