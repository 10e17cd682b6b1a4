"""Faults: a run that crashes, stops and cuts everything while clients work, and a checker of what they were told."""
