"""Pictures of the full-screen client for README.md and docs/, taken of the real program in a terminal."""
