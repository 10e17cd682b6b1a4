-- Taking over what another system has: where each row went, how far a run is, and what it did not take.

CREATE TABLE imports (
    import_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source     text NOT NULL,
    options    jsonb NOT NULL,
    progress   jsonb NOT NULL DEFAULT '{}',
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);
COMMENT ON COLUMN imports.source IS 'A hash of the files: a run that was cut off goes on when they are the same.';
COMMENT ON COLUMN imports.progress IS 'By file {offset, line, rows, taken, before, refused}; written with the rows that it tells of.';

CREATE TABLE imported_rows (
    collection text NOT NULL,
    source_id  text NOT NULL,
    target_id  text NOT NULL,
    import_id  bigint NOT NULL,
    line       integer NOT NULL,
    digest     bytea NOT NULL,
    said       jsonb,
    PRIMARY KEY (collection, source_id)
);
COMMENT ON TABLE imported_rows IS
    'What each document became. Stays: a row that is here is not taken again, even if what it became is gone.';
COMMENT ON COLUMN imported_rows.import_id IS 'The run that met it last; line, digest: where, and of what it said when it was taken.';
COMMENT ON COLUMN imported_rows.said IS 'Totals that the document claims, compared with the rows at the end.';

CREATE TABLE import_problems (
    import_id bigint NOT NULL,
    number    bigint GENERATED ALWAYS AS IDENTITY,
    file      text NOT NULL,
    line      integer NOT NULL,
    source_id text,
    field     text,
    reason    text NOT NULL,
    taken     boolean NOT NULL,
    PRIMARY KEY (import_id, number)
);
COMMENT ON TABLE import_problems IS 'The last run''s report. No value of a personal field is in it.';
COMMENT ON COLUMN import_problems.taken IS 'Whether the row was taken all the same, without that field.';

CREATE TABLE import_marks (
    shop_id  text PRIMARY KEY REFERENCES shops,
    bookings bigint NOT NULL,
    digest   numeric NOT NULL
);
COMMENT ON TABLE import_marks IS
    'What stands for a shop''s bookings that no event tells of: their number, and the sum of their 128-bit hashes, as a checkpoint has them.';
COMMENT ON COLUMN bookings.shop_seq IS 'The last event that changed this booking; 0: it was taken over, and no event tells of it.';
