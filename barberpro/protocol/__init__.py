"""The wire contract: commands, states, codes, ids. Imports nothing else of ours: clients use it alone."""
