"""Many pictures by many processes: chunks, their results on disk, and Ray Data that scores them."""
