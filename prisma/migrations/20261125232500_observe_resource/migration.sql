-- What the controller writes of every transition, in one way there and back. Two observers of one resource wait for each other; each statement of
-- a function sees what was committed before it, so whoever waited sees what the other wrote and does not write it again.
CREATE FUNCTION "observe_resource"(seen jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  before RECORD;
  is_known BOOLEAN;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(seen->>'uid', 0));
  SELECT generation, phase INTO before FROM resource_history WHERE uid = (seen->>'uid')::uuid ORDER BY id DESC LIMIT 1;
  is_known := FOUND;
  IF is_known AND before.generation = (seen->>'generation')::int AND before.phase IS NOT DISTINCT FROM (seen->>'phase') THEN
    RETURN;
  END IF;
  INSERT INTO resource_history (uid, kind, namespace, name, change, generation, phase, spec, status)
  VALUES (
    (seen->>'uid')::uuid, seen->>'kind', seen->>'namespace', seen->>'name',
    CASE WHEN NOT is_known THEN 'Created' WHEN before.generation <> (seen->>'generation')::int THEN 'SpecChanged' ELSE 'PhaseChanged' END,
    (seen->>'generation')::int, seen->>'phase', seen->'spec', nullif(seen->'status', 'null'::jsonb)
  );
END
$$;
