"""Indices that `index.py` compares: ours in the graph, hnswlib and faiss."""
