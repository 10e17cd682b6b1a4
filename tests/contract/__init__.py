"""What other people's programs rely on: the names and types of every field of the documents, and of every endpoint.

rest.txt and live.txt are made from openapi.json and asyncapi.json by `python -m tests.contract.rewrite`, so a change of
the contract is a change of these files, to be looked at line by line.
"""
