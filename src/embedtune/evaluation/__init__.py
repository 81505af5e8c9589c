"""How well an embedder retrieves, and whether another does better."""
