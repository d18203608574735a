-- Rights in the database of a central server. Run it as the owner, after `iskra-server prepare` has created the tables:
--   psql --set collector_password=... --set server_password=... --file roles.sql postgresql://owner@host/iskra
-- It can be run again; it then sets the passwords again. The owner needs the right to create roles:
DO $$ BEGIN
    IF NOT (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION '% may not create roles. As a superuser run: ALTER ROLE % CREATEROLE', current_user,
            quote_ident(current_user);
    END IF;
END $$;
SELECT 'CREATE ROLE iskra_collector LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'iskra_collector')
\gexec
SELECT 'CREATE ROLE iskra_server LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'iskra_server')
\gexec
ALTER ROLE iskra_collector PASSWORD :'collector_password';
ALTER ROLE iskra_server PASSWORD :'server_password';

-- Citus changes many tables in one statement only one after the other; others do not know this setting
SET citus.multi_shard_modify_mode TO 'sequential';

-- a collector writes what readers send; it deletes none of it and creates no tables
GRANT USAGE ON SCHEMA public TO iskra_collector, iskra_server;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO iskra_collector, iskra_server;
GRANT INSERT, UPDATE ON meter, series, boundary, power, epoch, epoch_origin, meter_reader, conflict, live, reader, refused
  TO iskra_collector;
-- the energy of days and months, which it computes again where quarters came late
GRANT INSERT, UPDATE, DELETE ON rollup, rollup_part, rollup_due, rollup_state TO iskra_collector;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO iskra_collector;

-- a server only reads, and its queries are limited to 30 s
ALTER ROLE iskra_server SET default_transaction_read_only = on;
ALTER ROLE iskra_server SET statement_timeout = '30s';
ALTER ROLE iskra_server SET jit = off;
