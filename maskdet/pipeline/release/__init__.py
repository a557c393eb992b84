"""What follows a run: the gates, and a version in the registry with where it comes from."""
