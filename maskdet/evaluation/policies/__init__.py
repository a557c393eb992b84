"""Thresholds by policy: what each promises, chooses and costs."""
