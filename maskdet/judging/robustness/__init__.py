"""How a model keeps up on pictures that are blurred, dark, noisy, turned or partly covered."""
