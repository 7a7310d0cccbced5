-- Run by a superuser: the extension, and a role that owns the shop.

CREATE EXTENSION segment;

CREATE ROLE shop LOGIN;
CREATE SCHEMA shop AUTHORIZATION shop;

-- Waits for the worker, looking every few milliseconds; says when it saw the condition hold.
CREATE FUNCTION shop.wait_until(condition text) RETURNS timestamptz
LANGUAGE plpgsql
AS $$
DECLARE
    patience CONSTANT timestamptz := clock_timestamp() + interval '60 seconds';
    holds    boolean;
BEGIN
    LOOP
        EXECUTE 'SELECT ' || condition INTO holds;
        EXIT WHEN holds;
        IF clock_timestamp() > patience THEN
            RAISE EXCEPTION 'waited for a minute in vain until %', condition;
        END IF;
        PERFORM pg_sleep(0.002);
    END LOOP;
    RETURN clock_timestamp();
END
$$;
