"""`maskdet doctor`: is what the work needs installed, of a tested version, and does it really run?"""
