"""Crashes against a real server: each scenario is a function of an address and a seed; `make crash` plays each twenty times.

Every random choice comes from the seed, which is printed; ``ROICG_CRASH_SEED`` plays one again.
"""
