-- Old events may go, once a checkpoint stands for them; old audit entries, once they are a year old.

CREATE TABLE checkpoints (
    shop_id       text PRIMARY KEY REFERENCES shops,
    shop_seq      bigint NOT NULL,
    epoch         bigint NOT NULL,
    link          text NOT NULL,
    business_date date NOT NULL,
    state         jsonb NOT NULL,
    made_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE checkpoints IS 'What a shop''s first events came to, up to shop_seq: those are no longer kept.';
COMMENT ON COLUMN checkpoints.business_date IS 'The last day that is no longer kept. Days go whole.';
COMMENT ON COLUMN checkpoints.state IS 'The fold of the events up to shop_seq (barberpro/queue/history.py).';

-- A checkpoint rises, and stands at the end of a day that the engine has no use for any more: Redis remembers commands
-- for two days, and the answer to a repetition is read from its event.
CREATE FUNCTION guard_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.shop_id <> OLD.shop_id OR NEW.shop_seq <= OLD.shop_seq) THEN
        RAISE EXCEPTION 'a checkpoint only rises' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT EXISTS (
        SELECT FROM queue_events e
        WHERE e.shop_id = NEW.shop_id AND e.shop_seq = NEW.shop_seq AND e.epoch = NEW.epoch
          AND e.data ->> 'link' = NEW.link AND e.business_date = NEW.business_date
          AND e.business_date < (now() AT TIME ZONE 'UTC')::date - 3
          AND NOT EXISTS (
              SELECT FROM queue_events n
              WHERE n.shop_id = e.shop_id AND n.shop_seq = e.shop_seq + 1 AND n.business_date <= e.business_date
          )
    ) THEN
        RAISE EXCEPTION 'a checkpoint stands at the last event of a day that is over for three days'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER checkpoints_rise BEFORE INSERT OR UPDATE ON checkpoints
    FOR EACH ROW EXECUTE FUNCTION guard_checkpoint();
CREATE TRIGGER checkpoints_stay BEFORE DELETE OR TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Still for every role: what no checkpoint stands for is not deleted.
CREATE FUNCTION refuse_loss() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM gone g LEFT JOIN checkpoints c USING (shop_id)
        WHERE c.shop_id IS NULL OR g.shop_seq > c.shop_seq
    ) THEN
        RAISE EXCEPTION '% is append-only above the checkpoint', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER queue_events_append_only ON queue_events;
CREATE TRIGGER queue_events_append_only BEFORE UPDATE OR TRUNCATE ON queue_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER queue_events_checkpoint_first AFTER DELETE ON queue_events
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION refuse_loss();

CREATE FUNCTION refuse_young_loss() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM gone g WHERE g.at > now() - interval '365 days') THEN
        RAISE EXCEPTION '% is append-only for a year', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER audit_entries_append_only ON audit_entries;
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entries_kept_a_year AFTER DELETE ON audit_entries
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION refuse_young_loss();

-- Moves a shop's checkpoint from p_upon (0: none yet) to p_shop_seq, and deletes the events that it stands for. Returns
-- how many went; 0 when the checkpoint is elsewhere by now: somebody was faster. Takes no lock that a commit waits for.
CREATE FUNCTION trim_events(p_shop_id text, p_upon bigint, p_shop_seq bigint, p_state text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_gone bigint;
BEGIN
    INSERT INTO checkpoints AS c (shop_id, shop_seq, epoch, link, business_date, state)
    SELECT e.shop_id, e.shop_seq, e.epoch, e.data ->> 'link', e.business_date, p_state::jsonb
    FROM queue_events e WHERE e.shop_id = p_shop_id AND e.shop_seq = p_shop_seq
    ON CONFLICT (shop_id) DO UPDATE SET
        shop_seq = excluded.shop_seq, epoch = excluded.epoch, link = excluded.link,
        business_date = excluded.business_date, state = excluded.state, made_at = now()
    WHERE c.shop_seq = p_upon;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    DELETE FROM queue_events WHERE shop_id = p_shop_id AND shop_seq <= p_shop_seq;
    GET DIAGNOSTICS v_gone = ROW_COUNT;
    RETURN v_gone;
END $$;

-- A day is a four hundredth of what is kept: at the default of a fifth, vacuum would come every eighty days.
ALTER TABLE queue_events SET (autovacuum_vacuum_scale_factor = 0.02);
