-- Finding a barber: what is searched is kept beside the catalogue and the queues, in a form that one query can search,
-- and brought up to date every two seconds (barberpro/server/search_index.py). And what customers say of a barber.

-- Points on a sphere, and the nearest first from an index. A trusted extension: the database's owner may add it.
CREATE EXTENSION IF NOT EXISTS cube;

CREATE TABLE search_mark (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    at       timestamptz NOT NULL
);
COMMENT ON TABLE search_mark IS 'Everything committed before `at` is found. Its row lock has one node at a time do the work.';
INSERT INTO search_mark (at) VALUES ('epoch');

CREATE TABLE search_shops (
    shop_id  text PRIMARY KEY,
    revision bigint NOT NULL,
    shop_seq bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE search_shops IS 'What search knows of each shop: the catalogue as of `revision`, the lines as of `shop_seq`.';

CREATE TABLE search_barbers (
    barber_id text PRIMARY KEY,
    shop_id   text NOT NULL,
    place     cube,
    words     integer[] NOT NULL,
    offers    integer[] NOT NULL
);
COMMENT ON COLUMN search_barbers.place IS 'On the unit sphere (x, y, z); null: the shop has told no place.';
COMMENT ON COLUMN search_barbers.words IS
    'Keys of the words in the names of barber, shop and services (barberpro/storage/folding.py).';
COMMENT ON COLUMN search_barbers.offers IS 'Likewise, of the services alone.';
CREATE INDEX search_barbers_of_shop ON search_barbers (shop_id);
CREATE INDEX search_barbers_near ON search_barbers USING gist (place);
CREATE INDEX search_barbers_words ON search_barbers USING gin (words);
CREATE INDEX search_barbers_offers ON search_barbers USING gin (offers);

-- Each row was true from `since` until `until`, so that the pages of one search are all of one moment. Old ones go.
CREATE TABLE barber_lines (
    barber_id text NOT NULL,
    until     timestamptz NOT NULL DEFAULT 'infinity',
    since     timestamptz NOT NULL,
    status    text NOT NULL,
    waiting   integer NOT NULL,
    mean      double precision NOT NULL,
    variance  double precision NOT NULL,
    expected  double precision,
    square    double precision,
    seated_at timestamptz,
    PRIMARY KEY (barber_id, until),
    CHECK ((expected IS NULL) = (seated_at IS NULL) AND (square IS NULL) = (seated_at IS NULL))
);
COMMENT ON TABLE barber_lines IS 'What a newcomer would wait for (barberpro/queue/estimate.py, Outlook); wait_of tells how long.';
CREATE INDEX barber_lines_over ON barber_lines (until) WHERE until < 'infinity';

-- The wait of barberpro/queue/estimate.py in whole minutes, so that a search can be sorted by it. A test holds the two
-- equal. elapsed: minutes that the visit in the chair has lasted; null with a free chair.
CREATE FUNCTION wait_of(mean double precision, variance double precision, expected double precision,
                        square double precision, elapsed double precision, OUT p50 integer, OUT p90 integer)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    m double precision := mean; v double precision := variance;
    lasted double precision := least(elapsed, 3.0 * expected);
    sigma double precision; z double precision; longer double precision; left_ double precision; middle double precision;
BEGIN
    IF expected IS NOT NULL AND lasted <= 0 THEN
        m := m + expected;
        v := v + square * expected ^ 2;
    ELSIF expected IS NOT NULL THEN
        sigma := sqrt(ln(1 + square));
        z := ln(lasted / expected) / sigma + sigma / 2;
        longer := erfc(z / sqrt(2.0));
        left_ := expected * erfc((z - sigma) / sqrt(2.0)) / longer;
        m := m + left_ - lasted;
        v := v + expected ^ 2 * (1 + square) * erfc((z - 2 * sigma) / sqrt(2.0)) / longer - left_ ^ 2;
    END IF;
    sigma := ln(1 + v / m ^ 2);
    middle := m * exp(-sigma / 2);
    p50 := round(middle);
    p90 := ceil(middle * exp(1.2816 * sqrt(sigma)));
END $$;

CREATE FUNCTION open_at(week jsonb, zone text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
    RETURN EXISTS (
        SELECT FROM jsonb_array_elements(week -> to_char(at AT TIME ZONE zone, 'dy')) AS hours (span)
        WHERE to_char(at AT TIME ZONE zone, 'HH24:MI') COLLATE "C" >= span ->> 0
          AND to_char(at AT TIME ZONE zone, 'HH24:MI') COLLATE "C" < span ->> 1
    );
COMMENT ON FUNCTION open_at IS 'Whether the clock in the shop shows a time of its opening hours.';

-- As domain/calendar.py tells it, within one day of the shop's. calendar: {shifts?, breaks, exceptions, daysOff}; null:
-- as the shop is open; opening: null: always.
CREATE FUNCTION works_at(calendar jsonb, opening jsonb, zone text, at timestamptz, minutes integer) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    v_begins timestamp := at AT TIME ZONE zone;
    v_ends timestamp := (at + minutes * interval '1 minute') AT TIME ZONE zone;
    v_day text := to_char(v_begins, 'YYYY-MM-DD');
    v_week jsonb := coalesce(nullif(calendar -> 'shifts', 'null'), opening);
    v_shifts jsonb; v_breaks jsonb := calendar -> 'breaks' -> to_char(v_begins, 'dy');
    v_from text COLLATE "C" := to_char(v_begins, 'HH24:MI:SS');
    v_until text COLLATE "C" := to_char(v_ends, 'HH24:MI:SS');
BEGIN
    IF calendar -> 'daysOff' ? v_day THEN
        RETURN false;
    END IF;
    IF v_ends::date > v_begins::date THEN
        v_until := CASE WHEN v_until = '00:00:00' THEN '24:00:00' ELSE '99' END;
    END IF;
    SELECT e -> 'shifts' INTO v_shifts FROM jsonb_array_elements(calendar -> 'exceptions') e WHERE e ->> 'date' = v_day;
    IF FOUND THEN
        v_breaks := NULL;
    ELSIF v_week IS NULL THEN
        v_shifts := '[["00:00", "24:00"]]';
    ELSE
        v_shifts := v_week -> to_char(v_begins, 'dy');
    END IF;
    RETURN EXISTS (
        SELECT FROM jsonb_array_elements(v_shifts) s WHERE s ->> 0 || ':00' <= v_from AND s ->> 1 || ':00' >= v_until
    ) AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(v_breaks) b WHERE b ->> 0 || ':00' < v_until AND b ->> 1 || ':00' > v_from
    );
END $$;
COMMENT ON FUNCTION works_at IS 'Whether a barber is there for so many minutes; none that go past midnight.';

CREATE TABLE ratings (
    rating_id     text PRIMARY KEY,
    booking_id    text NOT NULL UNIQUE REFERENCES bookings,
    barber_id     text NOT NULL,
    shop_id       text NOT NULL,
    stars         smallint NOT NULL CHECK (stars BETWEEN 1 AND 5),
    review        text,
    at            timestamptz NOT NULL DEFAULT now(),
    made_with     text,
    answer        text,
    answered_at   timestamptz,
    answered_by   text,
    hidden_at     timestamptz,
    hidden_by     text,
    hidden_reason text,
    CHECK ((answer IS NULL) = (answered_at IS NULL)),
    CHECK ((hidden_at IS NULL) = (hidden_reason IS NULL))
);
COMMENT ON TABLE ratings IS 'One a completed booking. Ids of newer ones sort after those of older ones.';
COMMENT ON COLUMN ratings.made_with IS 'The Idempotency-Key of the request that made it.';
COMMENT ON COLUMN ratings.hidden_at IS 'By an admin: it is shown to nobody else, and does not count.';
CREATE INDEX ratings_of_barber ON ratings (barber_id, rating_id);

CREATE TABLE barber_ratings (
    barber_id text PRIMARY KEY,
    count     integer NOT NULL CHECK (count >= 0),
    stars     integer NOT NULL CHECK (stars BETWEEN count AND 5 * count)
);
COMMENT ON TABLE barber_ratings IS 'How many ratings of a barber are not hidden, and the sum of their stars: the average is exact.';

CREATE FUNCTION count_rating() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.hidden_at IS NULL THEN
        UPDATE barber_ratings r SET count = r.count - 1, stars = r.stars - OLD.stars WHERE r.barber_id = OLD.barber_id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.hidden_at IS NULL THEN
        INSERT INTO barber_ratings AS r (barber_id, count, stars) VALUES (NEW.barber_id, 1, NEW.stars)
        ON CONFLICT (barber_id) DO UPDATE SET count = r.count + 1, stars = r.stars + excluded.stars;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ratings_counted AFTER INSERT OR DELETE OR UPDATE OF barber_id, stars, hidden_at ON ratings
    FOR EACH ROW EXECUTE FUNCTION count_rating();
