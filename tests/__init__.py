"""The tests mirror src/triochat; see CONTRIBUTING.md for how to run them."""
