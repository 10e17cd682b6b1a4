"""Taking over what a deployment on Firestore has, from exports as JSON lines (docs/import.md).

A row passes three stations: `documents` and `values` read whatever shape an export has; `users`, `barbers` and
`bookings` say what a document comes to by itself; `people` and `agreeing` find its place among ours, and a batch of
rows is written in one transaction (`run`). `comparing` takes the same way, and writes nothing.
"""
