"""Whatever bytes come in: random ones, and right ones that were spoiled. See tests/fuzz/effort.py for longer runs.

By Hypothesis, which makes values of a meaning, and shrinks them. Atheris is led by the branches that the parsers take,
and most of those are in C and Rust (orjson, pydantic, llhttp), where it does not see them. Schemathesis asks by the
OpenAPI document: test_openapi.py.
"""
