"""The promises, one a module. Each gives findings; what it counts as looked at, verdict.py knows."""
