"""What prepare tells people: report.md and its plots."""
