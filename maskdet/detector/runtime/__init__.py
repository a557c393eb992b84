"""Running a network: one module for each inference library."""
