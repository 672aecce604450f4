"""Pure tensor functions: no modules, no global state, every one twice differentiable."""
