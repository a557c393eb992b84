"""`maskdet doctor`: is everything needed installed, in a tested version, and does it work?"""
