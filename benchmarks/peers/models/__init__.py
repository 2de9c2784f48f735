"""One module a peer; see `benchmarks.peers.rival` for what each must have."""
