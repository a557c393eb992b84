"""Server processes: started, watched, found, drained and stopped."""
