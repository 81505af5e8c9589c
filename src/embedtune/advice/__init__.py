"""Whether tuning is worth it, said before anything is paid or changed."""
