"""Better labels: hard negatives, and labels that are probably wrong."""
