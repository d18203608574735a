CREATE TABLE public.boundary (
    series integer NOT NULL,
    quarter integer NOT NULL,
    raw bigint NOT NULL,
    scaler smallint NOT NULL,
    quality smallint NOT NULL,
    epoch integer NOT NULL
);
CREATE TABLE public.epoch (
    series integer NOT NULL,
    epoch integer NOT NULL,
    at_s bigint NOT NULL,
    before_raw bigint,
    before_scaler smallint,
    after_raw bigint NOT NULL,
    after_scaler smallint NOT NULL
);
CREATE TABLE public.iskra_schema (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.meter (
    id integer NOT NULL,
    meter_id text NOT NULL,
    server_id text NOT NULL,
    simulated boolean NOT NULL,
    first_s bigint NOT NULL,
    last_s bigint NOT NULL,
    replaced_by integer
);
CREATE SEQUENCE public.meter_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.meter_id_seq OWNED BY public.meter.id;
CREATE TABLE public.points (
    meter integer NOT NULL,
    first_s bigint NOT NULL,
    crc32 bigint NOT NULL,
    last_s bigint NOT NULL,
    telegrams integer NOT NULL,
    min_mw bigint,
    mean_mw bigint,
    max_mw bigint,
    octets bytea NOT NULL
);
CREATE TABLE public.power (
    meter integer NOT NULL,
    quarter integer NOT NULL,
    min_mw bigint NOT NULL,
    mean_mw bigint NOT NULL,
    max_mw bigint NOT NULL,
    telegrams integer NOT NULL
);
CREATE TABLE public.series (
    id integer NOT NULL,
    meter integer NOT NULL,
    obis text NOT NULL
);
CREATE SEQUENCE public.series_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.series_id_seq OWNED BY public.series.id;
ALTER TABLE ONLY public.meter ALTER COLUMN id SET DEFAULT nextval('public.meter_id_seq'::regclass);
ALTER TABLE ONLY public.series ALTER COLUMN id SET DEFAULT nextval('public.series_id_seq'::regclass);
INSERT INTO public.boundary VALUES (1, 1959784, 107323091, -1, 0, 0);
INSERT INTO public.boundary VALUES (1, 1959785, 107323999, -1, 1, 0);
INSERT INTO public.boundary VALUES (2, 1959784, 9223372036854775807, -18, 0, 0);
INSERT INTO public.boundary VALUES (2, 1959785, 12, 3, 0, 1);
INSERT INTO public.boundary VALUES (7, 1962784, 0, 0, 0, 0);
INSERT INTO public.epoch VALUES (2, 1, 1763805677, 9223372036854775807, -18, 7, 3);
INSERT INTO public.epoch VALUES (7, 0, 1763805600, NULL, NULL, 0, 0);
INSERT INTO public.iskra_schema VALUES ('0001');
INSERT INTO public.meter VALUES (2, '1 ISK 00 87654321', '0a0149534b00053980b1', false, 1763807400, 1763809200, NULL);
INSERT INTO public.meter VALUES (1, '1 ISK 00 12345678', '0a0149534b0000bc614e', false, 1763805600, 1763807400, 2);
INSERT INTO public.meter VALUES (3, 'Zähler "Müller"; ''x'' --', '', false, 0, 9007199254740992, NULL);
INSERT INTO public.points VALUES (1, 1763805600, 1788506909, 1763805601, 2, 230000, 230500, 231000, '\x0178da636260666084400e86ffffffcb015902ec0cff1918a41918181280620c0dffff33330085998002403c9371f52c4620eb05f3e579a96c40310646c6670c10c0c8b860372f940500d5b90f49');
INSERT INTO public.points VALUES (2, 1763805600, 1788506909, 1763805601, 2, NULL, NULL, NULL, '\x0178da636260666084400e86ffffffcb015902ec0cff1918a41918181280620c0dffff33330085998002403c9371f52c4620eb05f3e579a96c40310646c6670c10c0c8b860372f940500d5b90f49');
INSERT INTO public.power VALUES (1, 1959784, -1500, 230000, 69000000000, 900);
INSERT INTO public.power VALUES (2, 1962784, 0, 0, 0, 1);
INSERT INTO public.series VALUES (1, 1, '1-0:1.8.0*255');
INSERT INTO public.series VALUES (2, 1, '1-0:2.8.0*255');
INSERT INTO public.series VALUES (7, 2, '1-0:1.8.0*255');
SELECT pg_catalog.setval('public.meter_id_seq', 3, true);
SELECT pg_catalog.setval('public.series_id_seq', 7, true);
ALTER TABLE ONLY public.iskra_schema
    ADD CONSTRAINT iskra_schema_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.boundary
    ADD CONSTRAINT pk_boundary PRIMARY KEY (series, quarter);
ALTER TABLE ONLY public.epoch
    ADD CONSTRAINT pk_epoch PRIMARY KEY (series, epoch);
ALTER TABLE ONLY public.meter
    ADD CONSTRAINT pk_meter PRIMARY KEY (id);
ALTER TABLE ONLY public.points
    ADD CONSTRAINT pk_points PRIMARY KEY (meter, first_s, crc32);
ALTER TABLE ONLY public.power
    ADD CONSTRAINT pk_power PRIMARY KEY (meter, quarter);
ALTER TABLE ONLY public.series
    ADD CONSTRAINT pk_series PRIMARY KEY (id);
ALTER TABLE ONLY public.meter
    ADD CONSTRAINT uq_meter_meter_id UNIQUE (meter_id);
ALTER TABLE ONLY public.series
    ADD CONSTRAINT uq_series_meter_obis UNIQUE (meter, obis);
ALTER TABLE ONLY public.boundary
    ADD CONSTRAINT fk_boundary_series FOREIGN KEY (series) REFERENCES public.series(id);
ALTER TABLE ONLY public.epoch
    ADD CONSTRAINT fk_epoch_series FOREIGN KEY (series) REFERENCES public.series(id);
ALTER TABLE ONLY public.meter
    ADD CONSTRAINT fk_meter_replaced_by FOREIGN KEY (replaced_by) REFERENCES public.meter(id);
ALTER TABLE ONLY public.points
    ADD CONSTRAINT fk_points_meter FOREIGN KEY (meter) REFERENCES public.meter(id);
ALTER TABLE ONLY public.power
    ADD CONSTRAINT fk_power_meter FOREIGN KEY (meter) REFERENCES public.meter(id);
ALTER TABLE ONLY public.series
    ADD CONSTRAINT fk_series_meter FOREIGN KEY (meter) REFERENCES public.meter(id);
