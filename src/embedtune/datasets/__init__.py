"""Documents, queries and labels: read, checked, divided and written."""
