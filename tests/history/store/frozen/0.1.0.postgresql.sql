CREATE TABLE public.boundary (
    series integer NOT NULL,
    quarter integer NOT NULL,
    raw bigint NOT NULL,
    scaler smallint NOT NULL,
    quality smallint NOT NULL,
    epoch integer NOT NULL
)
PARTITION BY RANGE (quarter);
CREATE TABLE public.boundary_2025_11 (
    series integer NOT NULL,
    quarter integer NOT NULL,
    raw bigint NOT NULL,
    scaler smallint NOT NULL,
    quality smallint NOT NULL,
    epoch integer NOT NULL
);
CREATE TABLE public.boundary_2025_12 (
    series integer NOT NULL,
    quarter integer NOT NULL,
    raw bigint NOT NULL,
    scaler smallint NOT NULL,
    quality smallint NOT NULL,
    epoch integer NOT NULL
);
CREATE TABLE public.boundary_2026_11 (
    series integer NOT NULL,
    quarter integer NOT NULL,
    raw bigint NOT NULL,
    scaler smallint NOT NULL,
    quality smallint NOT NULL,
    epoch integer NOT NULL
);
CREATE TABLE public.boundary_2026_12 (
    series integer NOT NULL,
    quarter integer NOT NULL,
    raw bigint NOT NULL,
    scaler smallint NOT NULL,
    quality smallint NOT NULL,
    epoch integer NOT NULL
);
CREATE TABLE public.boundary_2027_01 (
    series integer NOT NULL,
    quarter integer NOT NULL,
    raw bigint NOT NULL,
    scaler smallint NOT NULL,
    quality smallint NOT NULL,
    epoch integer NOT NULL
);
CREATE TABLE public.boundary_2027_02 (
    series integer NOT NULL,
    quarter integer NOT NULL,
    raw bigint NOT NULL,
    scaler smallint NOT NULL,
    quality smallint NOT NULL,
    epoch integer NOT NULL
);
CREATE TABLE public.boundary_rest (
    series integer NOT NULL,
    quarter integer NOT NULL,
    raw bigint NOT NULL,
    scaler smallint NOT NULL,
    quality smallint NOT NULL,
    epoch integer NOT NULL
);
CREATE TABLE public.clock_step (
    id bigint NOT NULL,
    from_s bigint NOT NULL,
    to_s bigint NOT NULL,
    reason text NOT NULL
);
CREATE SEQUENCE public.clock_step_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.clock_step_id_seq OWNED BY public.clock_step.id;
CREATE TABLE public.conflict (
    series integer NOT NULL,
    quarter integer NOT NULL,
    reader text NOT NULL,
    raw bigint NOT NULL,
    scaler smallint NOT NULL,
    quality smallint NOT NULL,
    kept_raw bigint,
    kept_scaler smallint,
    kept_reader text,
    at_s bigint NOT NULL
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
CREATE TABLE public.epoch_origin (
    series integer NOT NULL,
    ledger text NOT NULL,
    ledger_epoch integer NOT NULL,
    epoch integer NOT NULL,
    at_s bigint,
    before_raw bigint,
    before_scaler smallint,
    after_raw bigint,
    after_scaler smallint,
    from_quarter integer NOT NULL
);
CREATE TABLE public.iskra_schema (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.label (
    meter integer NOT NULL,
    kind text NOT NULL,
    from_quarter integer DEFAULT 0 NOT NULL,
    to_quarter integer DEFAULT 2147483647 NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.live (
    meter integer NOT NULL,
    reader text NOT NULL,
    at_s bigint NOT NULL,
    at_quarter integer DEFAULT 0 NOT NULL,
    power_mw bigint
)
WITH (fillfactor='50');
CREATE TABLE public.meter (
    id integer NOT NULL,
    meter_id text NOT NULL,
    server_id text NOT NULL,
    simulated boolean NOT NULL,
    first_s bigint NOT NULL,
    last_s bigint NOT NULL,
    replaced_by integer,
    port text
);
CREATE SEQUENCE public.meter_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.meter_id_seq OWNED BY public.meter.id;
CREATE TABLE public.meter_reader (
    meter integer NOT NULL,
    since_s bigint NOT NULL,
    reader text NOT NULL
);
CREATE TABLE public.other_price (
    zone text NOT NULL,
    quarter integer NOT NULL,
    raw bigint NOT NULL,
    minutes smallint NOT NULL,
    retrieval integer NOT NULL
);
CREATE TABLE public.outbox (
    meter integer NOT NULL,
    quarter integer NOT NULL,
    mark integer NOT NULL,
    reason text,
    refused boolean DEFAULT false NOT NULL,
    retry_s bigint
);
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
)
PARTITION BY RANGE (first_s);
CREATE TABLE public.points_2025_11 (
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
CREATE TABLE public.points_2025_12 (
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
CREATE TABLE public.points_2026_11 (
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
CREATE TABLE public.points_2026_12 (
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
CREATE TABLE public.points_2027_01 (
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
CREATE TABLE public.points_2027_02 (
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
CREATE TABLE public.points_rest (
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
)
PARTITION BY RANGE (quarter);
CREATE TABLE public.power_2025_11 (
    meter integer NOT NULL,
    quarter integer NOT NULL,
    min_mw bigint NOT NULL,
    mean_mw bigint NOT NULL,
    max_mw bigint NOT NULL,
    telegrams integer NOT NULL
);
CREATE TABLE public.power_2025_12 (
    meter integer NOT NULL,
    quarter integer NOT NULL,
    min_mw bigint NOT NULL,
    mean_mw bigint NOT NULL,
    max_mw bigint NOT NULL,
    telegrams integer NOT NULL
);
CREATE TABLE public.power_2026_11 (
    meter integer NOT NULL,
    quarter integer NOT NULL,
    min_mw bigint NOT NULL,
    mean_mw bigint NOT NULL,
    max_mw bigint NOT NULL,
    telegrams integer NOT NULL
);
CREATE TABLE public.power_2026_12 (
    meter integer NOT NULL,
    quarter integer NOT NULL,
    min_mw bigint NOT NULL,
    mean_mw bigint NOT NULL,
    max_mw bigint NOT NULL,
    telegrams integer NOT NULL
);
CREATE TABLE public.power_2027_01 (
    meter integer NOT NULL,
    quarter integer NOT NULL,
    min_mw bigint NOT NULL,
    mean_mw bigint NOT NULL,
    max_mw bigint NOT NULL,
    telegrams integer NOT NULL
);
CREATE TABLE public.power_2027_02 (
    meter integer NOT NULL,
    quarter integer NOT NULL,
    min_mw bigint NOT NULL,
    mean_mw bigint NOT NULL,
    max_mw bigint NOT NULL,
    telegrams integer NOT NULL
);
CREATE TABLE public.power_rest (
    meter integer NOT NULL,
    quarter integer NOT NULL,
    min_mw bigint NOT NULL,
    mean_mw bigint NOT NULL,
    max_mw bigint NOT NULL,
    telegrams integer NOT NULL
);
CREATE TABLE public.price_retrieval (
    id integer NOT NULL,
    source text NOT NULL,
    at_s bigint NOT NULL
);
CREATE SEQUENCE public.price_retrieval_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.price_retrieval_id_seq OWNED BY public.price_retrieval.id;
CREATE TABLE public.reader (
    name text NOT NULL,
    at_s bigint NOT NULL,
    ok boolean NOT NULL,
    sentence text NOT NULL,
    status text NOT NULL,
    version text,
    session text,
    session_s bigint,
    rival_s bigint,
    skew_s bigint,
    waiting bigint,
    refused bigint,
    oldest_s bigint
);
CREATE TABLE public.refused (
    id bigint NOT NULL,
    at_s bigint NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,
    octets bytea NOT NULL
);
CREATE SEQUENCE public.refused_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.refused_id_seq OWNED BY public.refused.id;
CREATE TABLE public.rollup (
    begin_quarter integer NOT NULL,
    end_quarter integer NOT NULL,
    series integer NOT NULL,
    scaler smallint NOT NULL,
    energy_1 bigint,
    energy_2 bigint,
    energy_3 bigint,
    energy_4 bigint,
    energy_5 bigint,
    energy_6 bigint,
    energy_7 bigint,
    energy_8 bigint,
    energy_9 bigint,
    energy_10 bigint,
    energy_11 bigint,
    energy_12 bigint,
    energy_13 bigint,
    energy_14 bigint,
    energy_15 bigint,
    energy_16 bigint,
    energy_17 bigint,
    energy_18 bigint,
    energy_19 bigint,
    energy_20 bigint,
    energy_21 bigint,
    energy_22 bigint,
    energy_23 bigint,
    energy_24 bigint,
    energy_25 bigint,
    energy_26 bigint,
    energy_27 bigint,
    energy_28 bigint,
    energy_29 bigint,
    energy_30 bigint,
    energy_31 bigint,
    estimated_1 smallint,
    estimated_2 smallint,
    estimated_3 smallint,
    estimated_4 smallint,
    estimated_5 smallint,
    estimated_6 smallint,
    estimated_7 smallint,
    estimated_8 smallint,
    estimated_9 smallint,
    estimated_10 smallint,
    estimated_11 smallint,
    estimated_12 smallint,
    estimated_13 smallint,
    estimated_14 smallint,
    estimated_15 smallint,
    estimated_16 smallint,
    estimated_17 smallint,
    estimated_18 smallint,
    estimated_19 smallint,
    estimated_20 smallint,
    estimated_21 smallint,
    estimated_22 smallint,
    estimated_23 smallint,
    estimated_24 smallint,
    estimated_25 smallint,
    estimated_26 smallint,
    estimated_27 smallint,
    estimated_28 smallint,
    estimated_29 smallint,
    estimated_30 smallint,
    estimated_31 smallint
)
WITH (fillfactor='40');
CREATE TABLE public.rollup_due (
    end_quarter integer NOT NULL,
    begin_quarter integer NOT NULL,
    meter integer NOT NULL
);
CREATE TABLE public.rollup_part (
    begin_quarter integer NOT NULL,
    end_quarter integer NOT NULL,
    series integer NOT NULL,
    raw bigint NOT NULL,
    scaler smallint NOT NULL,
    quarters smallint NOT NULL,
    estimated smallint NOT NULL,
    begin_known boolean NOT NULL,
    end_known boolean NOT NULL
);
CREATE TABLE public.rollup_state (
    zone text NOT NULL,
    since_quarter integer NOT NULL,
    open_quarter integer NOT NULL
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
CREATE TABLE public.set_aside (
    id bigint NOT NULL,
    kind text NOT NULL,
    meter integer NOT NULL,
    moment_s bigint NOT NULL,
    at_s bigint NOT NULL,
    reason text NOT NULL,
    content bytea NOT NULL
);
CREATE SEQUENCE public.set_aside_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.set_aside_id_seq OWNED BY public.set_aside.id;
CREATE TABLE public.spot_price (
    zone text NOT NULL,
    quarter integer NOT NULL,
    raw bigint NOT NULL,
    minutes smallint NOT NULL,
    retrieval integer NOT NULL
);
CREATE TABLE public.uplink (
    reader text NOT NULL,
    since_s bigint NOT NULL,
    ledger text,
    confirmed_s bigint
);
ALTER TABLE ONLY public.boundary ATTACH PARTITION public.boundary_2025_11 FOR VALUES FROM (1957728) TO (1960608);
ALTER TABLE ONLY public.boundary ATTACH PARTITION public.boundary_2025_12 FOR VALUES FROM (1960608) TO (1963584);
ALTER TABLE ONLY public.boundary ATTACH PARTITION public.boundary_2026_11 FOR VALUES FROM (1992768) TO (1995648);
ALTER TABLE ONLY public.boundary ATTACH PARTITION public.boundary_2026_12 FOR VALUES FROM (1995648) TO (1998624);
ALTER TABLE ONLY public.boundary ATTACH PARTITION public.boundary_2027_01 FOR VALUES FROM (1998624) TO (2001600);
ALTER TABLE ONLY public.boundary ATTACH PARTITION public.boundary_2027_02 FOR VALUES FROM (2001600) TO (2004288);
ALTER TABLE ONLY public.boundary ATTACH PARTITION public.boundary_rest DEFAULT;
ALTER TABLE ONLY public.points ATTACH PARTITION public.points_2025_11 FOR VALUES FROM ('1761955200') TO ('1764547200');
ALTER TABLE ONLY public.points ATTACH PARTITION public.points_2025_12 FOR VALUES FROM ('1764547200') TO ('1767225600');
ALTER TABLE ONLY public.points ATTACH PARTITION public.points_2026_11 FOR VALUES FROM ('1793491200') TO ('1796083200');
ALTER TABLE ONLY public.points ATTACH PARTITION public.points_2026_12 FOR VALUES FROM ('1796083200') TO ('1798761600');
ALTER TABLE ONLY public.points ATTACH PARTITION public.points_2027_01 FOR VALUES FROM ('1798761600') TO ('1801440000');
ALTER TABLE ONLY public.points ATTACH PARTITION public.points_2027_02 FOR VALUES FROM ('1801440000') TO ('1803859200');
ALTER TABLE ONLY public.points ATTACH PARTITION public.points_rest DEFAULT;
ALTER TABLE ONLY public.power ATTACH PARTITION public.power_2025_11 FOR VALUES FROM (1957728) TO (1960608);
ALTER TABLE ONLY public.power ATTACH PARTITION public.power_2025_12 FOR VALUES FROM (1960608) TO (1963584);
ALTER TABLE ONLY public.power ATTACH PARTITION public.power_2026_11 FOR VALUES FROM (1992768) TO (1995648);
ALTER TABLE ONLY public.power ATTACH PARTITION public.power_2026_12 FOR VALUES FROM (1995648) TO (1998624);
ALTER TABLE ONLY public.power ATTACH PARTITION public.power_2027_01 FOR VALUES FROM (1998624) TO (2001600);
ALTER TABLE ONLY public.power ATTACH PARTITION public.power_2027_02 FOR VALUES FROM (2001600) TO (2004288);
ALTER TABLE ONLY public.power ATTACH PARTITION public.power_rest DEFAULT;
ALTER TABLE ONLY public.clock_step ALTER COLUMN id SET DEFAULT nextval('public.clock_step_id_seq'::regclass);
ALTER TABLE ONLY public.meter ALTER COLUMN id SET DEFAULT nextval('public.meter_id_seq'::regclass);
ALTER TABLE ONLY public.price_retrieval ALTER COLUMN id SET DEFAULT nextval('public.price_retrieval_id_seq'::regclass);
ALTER TABLE ONLY public.refused ALTER COLUMN id SET DEFAULT nextval('public.refused_id_seq'::regclass);
ALTER TABLE ONLY public.series ALTER COLUMN id SET DEFAULT nextval('public.series_id_seq'::regclass);
ALTER TABLE ONLY public.set_aside ALTER COLUMN id SET DEFAULT nextval('public.set_aside_id_seq'::regclass);
INSERT INTO public.boundary_2025_11 VALUES (1, 1959784, 107323091, -1, 0, 0);
INSERT INTO public.boundary_2025_11 VALUES (1, 1959785, 107323999, -1, 1, 0);
INSERT INTO public.boundary_2025_11 VALUES (2, 1959784, 9223372036854775807, -18, 0, 0);
INSERT INTO public.boundary_2025_11 VALUES (2, 1959785, 12, 3, 0, 1);
INSERT INTO public.boundary_2025_12 VALUES (7, 1962784, 0, 0, 0, 0);
INSERT INTO public.clock_step VALUES (1, 90, 1763805600, 'The clock was set.');
INSERT INTO public.conflict VALUES (1, 1959784, 'house-8', 5, 0, 0, 107323091, -1, 'house-7', 1763805600);
INSERT INTO public.conflict VALUES (1, 1959786, 'house-8', 6, 0, 1, NULL, NULL, 'house-7', 1763805600);
INSERT INTO public.epoch VALUES (2, 1, 1763805677, 9223372036854775807, -18, 7, 3);
INSERT INTO public.epoch VALUES (7, 0, 1763805600, NULL, NULL, 0, 0);
INSERT INTO public.epoch_origin VALUES (2, '0a1b@house-8', 0, 1, 1763805600, 108, -1, 0, 0, 1959785);
INSERT INTO public.iskra_schema VALUES ('0007');
INSERT INTO public.label VALUES (1, 'tenant', 0, 2147483647, 'Meyer');
INSERT INTO public.label VALUES (1, 'building', 0, 2147483647, '7');
INSERT INTO public.label VALUES (2, 'tenant', 1959784, 1959880, 'Meyer');
INSERT INTO public.label VALUES (2, 'tenant', 1959880, 2147483647, 'Neu');
INSERT INTO public.live VALUES (1, 'house-7', 1763805600, 0, -425000);
INSERT INTO public.live VALUES (2, 'house-7', 1763805600, 0, NULL);
INSERT INTO public.meter VALUES (2, '1 ISK 00 87654321', '0a0149534b00053980b1', false, 1763807400, 1763809200, NULL, NULL);
INSERT INTO public.meter VALUES (1, '1 ISK 00 12345678', '0a0149534b0000bc614e', false, 1763805600, 1763807400, 2, NULL);
INSERT INTO public.meter VALUES (3, 'Zähler "Müller"; ''x'' --', '', false, 0, 9007199254740992, NULL, NULL);
INSERT INTO public.meter VALUES (5, '1 ISK 00 00000005', '0a0149534b0000000005', false, 1763805600, 1763805600, NULL, '/dev/ttyUSB0');
INSERT INTO public.meter_reader VALUES (5, 1763805600, 'house-8');
INSERT INTO public.other_price VALUES ('DE-LU', 1959784, 81230000, 60, 2);
INSERT INTO public.outbox VALUES (2, 1962784, 3, NULL, false, NULL);
INSERT INTO public.outbox VALUES (1, 1959784, 1, 'The message is cut.', true, NULL);
INSERT INTO public.outbox VALUES (1, 1959785, 1, 'Wait.', false, 1763805600);
INSERT INTO public.points_2025_11 VALUES (1, 1763805600, 1788506909, 1763805601, 2, 230000, 230500, 231000, '\x0178da636260666084400e86ffffffcb015902ec0cff1918a41918181280620c0dffff33330085998002403c9371f52c4620eb05f3e579a96c40310646c6670c10c0c8b860372f940500d5b90f49');
INSERT INTO public.points_2025_11 VALUES (2, 1763805600, 1788506909, 1763805601, 2, NULL, NULL, NULL, '\x0178da636260666084400e86ffffffcb015902ec0cff1918a41918181280620c0dffff33330085998002403c9371f52c4620eb05f3e579a96c40310646c6670c10c0c8b860372f940500d5b90f49');
INSERT INTO public.power_2025_11 VALUES (1, 1959784, -1500, 230000, 69000000000, 900);
INSERT INTO public.power_2025_12 VALUES (2, 1962784, 0, 0, 0, 1);
INSERT INTO public.price_retrieval VALUES (2, 'energy-charts', 1763805600);
INSERT INTO public.reader VALUES ('house-7', 1763805600, false, 'No port.', '[{}]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.reader VALUES ('house-8', 1763805600, true, 'All is well.', '[]', '0.1.0', '5f0a', 1763805600, 1763805607, -3, 5, 1, 1763805600);
INSERT INTO public.refused VALUES (9, 1763805600, 'iskra/v1/house-7/quarters', 'It is cut.', '\x00ff275c');
INSERT INTO public.rollup VALUES (1959784, 1962760, 1, -1, 908, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 9223372036854775807, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.rollup_due VALUES (1959880, 1959784, 1);
INSERT INTO public.rollup_part VALUES (1959784, 1959880, 2, 5, 0, 1, 0, true, false);
INSERT INTO public.rollup_state VALUES ('Europe/Berlin', 1959784, 1959880);
INSERT INTO public.series VALUES (1, 1, '1-0:1.8.0*255');
INSERT INTO public.series VALUES (2, 1, '1-0:2.8.0*255');
INSERT INTO public.series VALUES (7, 2, '1-0:1.8.0*255');
INSERT INTO public.set_aside VALUES (3, 'power', 1, 900, 1763805600, 'before 2000', '\x7b226d65746572223a312c2271756172746572223a312c226d696e5f6d77223a302c226d65616e5f6d77223a302c226d61785f6d77223a302c2274656c656772616d73223a317d');
INSERT INTO public.spot_price VALUES ('DE-LU', 1959784, -500000000, 15, 2);
INSERT INTO public.spot_price VALUES ('DE-LU', 1959785, 81230000, 60, 2);
INSERT INTO public.uplink VALUES ('house-7', 1763805600, NULL, NULL);
SELECT pg_catalog.setval('public.clock_step_id_seq', 1, true);
SELECT pg_catalog.setval('public.meter_id_seq', 5, true);
SELECT pg_catalog.setval('public.price_retrieval_id_seq', 2, true);
SELECT pg_catalog.setval('public.refused_id_seq', 9, true);
SELECT pg_catalog.setval('public.series_id_seq', 7, true);
SELECT pg_catalog.setval('public.set_aside_id_seq', 3, true);
ALTER TABLE ONLY public.boundary
    ADD CONSTRAINT pk_boundary PRIMARY KEY (series, quarter);
ALTER TABLE ONLY public.boundary_2025_11
    ADD CONSTRAINT boundary_2025_11_pkey PRIMARY KEY (series, quarter);
ALTER TABLE ONLY public.boundary_2025_12
    ADD CONSTRAINT boundary_2025_12_pkey PRIMARY KEY (series, quarter);
ALTER TABLE ONLY public.boundary_2026_11
    ADD CONSTRAINT boundary_2026_11_pkey PRIMARY KEY (series, quarter);
ALTER TABLE ONLY public.boundary_2026_12
    ADD CONSTRAINT boundary_2026_12_pkey PRIMARY KEY (series, quarter);
ALTER TABLE ONLY public.boundary_2027_01
    ADD CONSTRAINT boundary_2027_01_pkey PRIMARY KEY (series, quarter);
ALTER TABLE ONLY public.boundary_2027_02
    ADD CONSTRAINT boundary_2027_02_pkey PRIMARY KEY (series, quarter);
ALTER TABLE ONLY public.boundary_rest
    ADD CONSTRAINT boundary_rest_pkey PRIMARY KEY (series, quarter);
ALTER TABLE ONLY public.iskra_schema
    ADD CONSTRAINT iskra_schema_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.clock_step
    ADD CONSTRAINT pk_clock_step PRIMARY KEY (id);
ALTER TABLE ONLY public.conflict
    ADD CONSTRAINT pk_conflict PRIMARY KEY (series, quarter, reader, raw, scaler);
ALTER TABLE ONLY public.epoch
    ADD CONSTRAINT pk_epoch PRIMARY KEY (series, epoch);
ALTER TABLE ONLY public.epoch_origin
    ADD CONSTRAINT pk_epoch_origin PRIMARY KEY (series, ledger, ledger_epoch);
ALTER TABLE ONLY public.label
    ADD CONSTRAINT pk_label PRIMARY KEY (meter, kind, from_quarter);
ALTER TABLE ONLY public.live
    ADD CONSTRAINT pk_live PRIMARY KEY (meter);
ALTER TABLE ONLY public.meter
    ADD CONSTRAINT pk_meter PRIMARY KEY (id);
ALTER TABLE ONLY public.meter_reader
    ADD CONSTRAINT pk_meter_reader PRIMARY KEY (meter, since_s);
ALTER TABLE ONLY public.other_price
    ADD CONSTRAINT pk_other_price PRIMARY KEY (zone, quarter, raw, minutes);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT pk_outbox PRIMARY KEY (meter, quarter);
ALTER TABLE ONLY public.points
    ADD CONSTRAINT pk_points PRIMARY KEY (meter, first_s, crc32);
ALTER TABLE ONLY public.power
    ADD CONSTRAINT pk_power PRIMARY KEY (meter, quarter);
ALTER TABLE ONLY public.price_retrieval
    ADD CONSTRAINT pk_price_retrieval PRIMARY KEY (id);
ALTER TABLE ONLY public.reader
    ADD CONSTRAINT pk_reader PRIMARY KEY (name);
ALTER TABLE ONLY public.refused
    ADD CONSTRAINT pk_refused PRIMARY KEY (id);
ALTER TABLE ONLY public.rollup
    ADD CONSTRAINT pk_rollup PRIMARY KEY (begin_quarter, end_quarter, series, scaler);
ALTER TABLE ONLY public.rollup_due
    ADD CONSTRAINT pk_rollup_due PRIMARY KEY (end_quarter, begin_quarter, meter);
ALTER TABLE ONLY public.rollup_part
    ADD CONSTRAINT pk_rollup_part PRIMARY KEY (begin_quarter, end_quarter, series);
ALTER TABLE ONLY public.rollup_state
    ADD CONSTRAINT pk_rollup_state PRIMARY KEY (zone);
ALTER TABLE ONLY public.series
    ADD CONSTRAINT pk_series PRIMARY KEY (id);
ALTER TABLE ONLY public.set_aside
    ADD CONSTRAINT pk_set_aside PRIMARY KEY (id);
ALTER TABLE ONLY public.spot_price
    ADD CONSTRAINT pk_spot_price PRIMARY KEY (zone, quarter);
ALTER TABLE ONLY public.uplink
    ADD CONSTRAINT pk_uplink PRIMARY KEY (reader);
ALTER TABLE ONLY public.points_2025_11
    ADD CONSTRAINT points_2025_11_pkey PRIMARY KEY (meter, first_s, crc32);
ALTER TABLE ONLY public.points_2025_12
    ADD CONSTRAINT points_2025_12_pkey PRIMARY KEY (meter, first_s, crc32);
ALTER TABLE ONLY public.points_2026_11
    ADD CONSTRAINT points_2026_11_pkey PRIMARY KEY (meter, first_s, crc32);
ALTER TABLE ONLY public.points_2026_12
    ADD CONSTRAINT points_2026_12_pkey PRIMARY KEY (meter, first_s, crc32);
ALTER TABLE ONLY public.points_2027_01
    ADD CONSTRAINT points_2027_01_pkey PRIMARY KEY (meter, first_s, crc32);
ALTER TABLE ONLY public.points_2027_02
    ADD CONSTRAINT points_2027_02_pkey PRIMARY KEY (meter, first_s, crc32);
ALTER TABLE ONLY public.points_rest
    ADD CONSTRAINT points_rest_pkey PRIMARY KEY (meter, first_s, crc32);
ALTER TABLE ONLY public.power_2025_11
    ADD CONSTRAINT power_2025_11_pkey PRIMARY KEY (meter, quarter);
ALTER TABLE ONLY public.power_2025_12
    ADD CONSTRAINT power_2025_12_pkey PRIMARY KEY (meter, quarter);
ALTER TABLE ONLY public.power_2026_11
    ADD CONSTRAINT power_2026_11_pkey PRIMARY KEY (meter, quarter);
ALTER TABLE ONLY public.power_2026_12
    ADD CONSTRAINT power_2026_12_pkey PRIMARY KEY (meter, quarter);
ALTER TABLE ONLY public.power_2027_01
    ADD CONSTRAINT power_2027_01_pkey PRIMARY KEY (meter, quarter);
ALTER TABLE ONLY public.power_2027_02
    ADD CONSTRAINT power_2027_02_pkey PRIMARY KEY (meter, quarter);
ALTER TABLE ONLY public.power_rest
    ADD CONSTRAINT power_rest_pkey PRIMARY KEY (meter, quarter);
ALTER TABLE ONLY public.meter
    ADD CONSTRAINT uq_meter_meter_id UNIQUE (meter_id);
ALTER TABLE ONLY public.series
    ADD CONSTRAINT uq_series_meter_obis UNIQUE (meter, obis);
CREATE INDEX ix_boundary_quarter ON ONLY public.boundary USING brin (quarter);
CREATE INDEX boundary_2025_11_quarter_idx ON public.boundary_2025_11 USING brin (quarter);
CREATE INDEX ix_boundary_hour ON ONLY public.boundary USING btree (quarter, series) INCLUDE (raw, scaler, epoch) WHERE ((quarter & 3) = 0);
CREATE INDEX boundary_2025_11_quarter_series_raw_scaler_epoch_idx ON public.boundary_2025_11 USING btree (quarter, series) INCLUDE (raw, scaler, epoch) WHERE ((quarter & 3) = 0);
CREATE INDEX boundary_2025_12_quarter_idx ON public.boundary_2025_12 USING brin (quarter);
CREATE INDEX boundary_2025_12_quarter_series_raw_scaler_epoch_idx ON public.boundary_2025_12 USING btree (quarter, series) INCLUDE (raw, scaler, epoch) WHERE ((quarter & 3) = 0);
CREATE INDEX boundary_2026_11_quarter_idx ON public.boundary_2026_11 USING brin (quarter);
CREATE INDEX boundary_2026_11_quarter_series_raw_scaler_epoch_idx ON public.boundary_2026_11 USING btree (quarter, series) INCLUDE (raw, scaler, epoch) WHERE ((quarter & 3) = 0);
CREATE INDEX boundary_2026_12_quarter_idx ON public.boundary_2026_12 USING brin (quarter);
CREATE INDEX boundary_2026_12_quarter_series_raw_scaler_epoch_idx ON public.boundary_2026_12 USING btree (quarter, series) INCLUDE (raw, scaler, epoch) WHERE ((quarter & 3) = 0);
CREATE INDEX boundary_2027_01_quarter_idx ON public.boundary_2027_01 USING brin (quarter);
CREATE INDEX boundary_2027_01_quarter_series_raw_scaler_epoch_idx ON public.boundary_2027_01 USING btree (quarter, series) INCLUDE (raw, scaler, epoch) WHERE ((quarter & 3) = 0);
CREATE INDEX boundary_2027_02_quarter_idx ON public.boundary_2027_02 USING brin (quarter);
CREATE INDEX boundary_2027_02_quarter_series_raw_scaler_epoch_idx ON public.boundary_2027_02 USING btree (quarter, series) INCLUDE (raw, scaler, epoch) WHERE ((quarter & 3) = 0);
CREATE INDEX boundary_rest_quarter_idx ON public.boundary_rest USING brin (quarter);
CREATE INDEX boundary_rest_quarter_series_raw_scaler_epoch_idx ON public.boundary_rest USING btree (quarter, series) INCLUDE (raw, scaler, epoch) WHERE ((quarter & 3) = 0);
CREATE INDEX ix_label_value ON public.label USING btree (kind, value, meter);
CREATE INDEX ix_live_at_quarter ON public.live USING btree (at_quarter, meter);
CREATE INDEX ix_meter_compact ON public.meter USING btree (lower(replace(meter_id, ' '::text, ''::text)));
CREATE INDEX ix_meter_reader_reader ON public.meter_reader USING btree (reader, meter);
CREATE INDEX ix_meter_replaced_by ON public.meter USING btree (replaced_by) WHERE (replaced_by IS NOT NULL);
CREATE INDEX ix_meter_server_id ON public.meter USING btree (server_id);
CREATE INDEX ix_outbox_quarter ON public.outbox USING btree (quarter, meter);
CREATE INDEX ix_power_quarter ON ONLY public.power USING brin (quarter);
CREATE INDEX power_2025_11_quarter_idx ON public.power_2025_11 USING brin (quarter);
CREATE INDEX power_2025_12_quarter_idx ON public.power_2025_12 USING brin (quarter);
CREATE INDEX power_2026_11_quarter_idx ON public.power_2026_11 USING brin (quarter);
CREATE INDEX power_2026_12_quarter_idx ON public.power_2026_12 USING brin (quarter);
CREATE INDEX power_2027_01_quarter_idx ON public.power_2027_01 USING brin (quarter);
CREATE INDEX power_2027_02_quarter_idx ON public.power_2027_02 USING brin (quarter);
CREATE INDEX power_rest_quarter_idx ON public.power_rest USING brin (quarter);
ALTER INDEX public.pk_boundary ATTACH PARTITION public.boundary_2025_11_pkey;
ALTER INDEX public.ix_boundary_quarter ATTACH PARTITION public.boundary_2025_11_quarter_idx;
ALTER INDEX public.ix_boundary_hour ATTACH PARTITION public.boundary_2025_11_quarter_series_raw_scaler_epoch_idx;
ALTER INDEX public.pk_boundary ATTACH PARTITION public.boundary_2025_12_pkey;
ALTER INDEX public.ix_boundary_quarter ATTACH PARTITION public.boundary_2025_12_quarter_idx;
ALTER INDEX public.ix_boundary_hour ATTACH PARTITION public.boundary_2025_12_quarter_series_raw_scaler_epoch_idx;
ALTER INDEX public.pk_boundary ATTACH PARTITION public.boundary_2026_11_pkey;
ALTER INDEX public.ix_boundary_quarter ATTACH PARTITION public.boundary_2026_11_quarter_idx;
ALTER INDEX public.ix_boundary_hour ATTACH PARTITION public.boundary_2026_11_quarter_series_raw_scaler_epoch_idx;
ALTER INDEX public.pk_boundary ATTACH PARTITION public.boundary_2026_12_pkey;
ALTER INDEX public.ix_boundary_quarter ATTACH PARTITION public.boundary_2026_12_quarter_idx;
ALTER INDEX public.ix_boundary_hour ATTACH PARTITION public.boundary_2026_12_quarter_series_raw_scaler_epoch_idx;
ALTER INDEX public.pk_boundary ATTACH PARTITION public.boundary_2027_01_pkey;
ALTER INDEX public.ix_boundary_quarter ATTACH PARTITION public.boundary_2027_01_quarter_idx;
ALTER INDEX public.ix_boundary_hour ATTACH PARTITION public.boundary_2027_01_quarter_series_raw_scaler_epoch_idx;
ALTER INDEX public.pk_boundary ATTACH PARTITION public.boundary_2027_02_pkey;
ALTER INDEX public.ix_boundary_quarter ATTACH PARTITION public.boundary_2027_02_quarter_idx;
ALTER INDEX public.ix_boundary_hour ATTACH PARTITION public.boundary_2027_02_quarter_series_raw_scaler_epoch_idx;
ALTER INDEX public.pk_boundary ATTACH PARTITION public.boundary_rest_pkey;
ALTER INDEX public.ix_boundary_quarter ATTACH PARTITION public.boundary_rest_quarter_idx;
ALTER INDEX public.ix_boundary_hour ATTACH PARTITION public.boundary_rest_quarter_series_raw_scaler_epoch_idx;
ALTER INDEX public.pk_points ATTACH PARTITION public.points_2025_11_pkey;
ALTER INDEX public.pk_points ATTACH PARTITION public.points_2025_12_pkey;
ALTER INDEX public.pk_points ATTACH PARTITION public.points_2026_11_pkey;
ALTER INDEX public.pk_points ATTACH PARTITION public.points_2026_12_pkey;
ALTER INDEX public.pk_points ATTACH PARTITION public.points_2027_01_pkey;
ALTER INDEX public.pk_points ATTACH PARTITION public.points_2027_02_pkey;
ALTER INDEX public.pk_points ATTACH PARTITION public.points_rest_pkey;
ALTER INDEX public.pk_power ATTACH PARTITION public.power_2025_11_pkey;
ALTER INDEX public.ix_power_quarter ATTACH PARTITION public.power_2025_11_quarter_idx;
ALTER INDEX public.pk_power ATTACH PARTITION public.power_2025_12_pkey;
ALTER INDEX public.ix_power_quarter ATTACH PARTITION public.power_2025_12_quarter_idx;
ALTER INDEX public.pk_power ATTACH PARTITION public.power_2026_11_pkey;
ALTER INDEX public.ix_power_quarter ATTACH PARTITION public.power_2026_11_quarter_idx;
ALTER INDEX public.pk_power ATTACH PARTITION public.power_2026_12_pkey;
ALTER INDEX public.ix_power_quarter ATTACH PARTITION public.power_2026_12_quarter_idx;
ALTER INDEX public.pk_power ATTACH PARTITION public.power_2027_01_pkey;
ALTER INDEX public.ix_power_quarter ATTACH PARTITION public.power_2027_01_quarter_idx;
ALTER INDEX public.pk_power ATTACH PARTITION public.power_2027_02_pkey;
ALTER INDEX public.ix_power_quarter ATTACH PARTITION public.power_2027_02_quarter_idx;
ALTER INDEX public.pk_power ATTACH PARTITION public.power_rest_pkey;
ALTER INDEX public.ix_power_quarter ATTACH PARTITION public.power_rest_quarter_idx;
ALTER TABLE ONLY public.conflict
    ADD CONSTRAINT fk_conflict_series FOREIGN KEY (series) REFERENCES public.series(id);
ALTER TABLE ONLY public.epoch_origin
    ADD CONSTRAINT fk_epoch_origin_series FOREIGN KEY (series) REFERENCES public.series(id);
ALTER TABLE ONLY public.epoch
    ADD CONSTRAINT fk_epoch_series FOREIGN KEY (series) REFERENCES public.series(id);
ALTER TABLE ONLY public.label
    ADD CONSTRAINT fk_label_meter FOREIGN KEY (meter) REFERENCES public.meter(id);
ALTER TABLE ONLY public.live
    ADD CONSTRAINT fk_live_meter FOREIGN KEY (meter) REFERENCES public.meter(id);
ALTER TABLE ONLY public.meter_reader
    ADD CONSTRAINT fk_meter_reader_meter FOREIGN KEY (meter) REFERENCES public.meter(id);
ALTER TABLE ONLY public.meter
    ADD CONSTRAINT fk_meter_replaced_by FOREIGN KEY (replaced_by) REFERENCES public.meter(id);
ALTER TABLE ONLY public.other_price
    ADD CONSTRAINT fk_other_price_retrieval FOREIGN KEY (retrieval) REFERENCES public.price_retrieval(id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT fk_outbox_meter FOREIGN KEY (meter) REFERENCES public.meter(id);
ALTER TABLE ONLY public.rollup_due
    ADD CONSTRAINT fk_rollup_due_meter FOREIGN KEY (meter) REFERENCES public.meter(id);
ALTER TABLE ONLY public.rollup_part
    ADD CONSTRAINT fk_rollup_part_series FOREIGN KEY (series) REFERENCES public.series(id);
ALTER TABLE ONLY public.rollup
    ADD CONSTRAINT fk_rollup_series FOREIGN KEY (series) REFERENCES public.series(id);
ALTER TABLE ONLY public.series
    ADD CONSTRAINT fk_series_meter FOREIGN KEY (meter) REFERENCES public.meter(id);
ALTER TABLE ONLY public.spot_price
    ADD CONSTRAINT fk_spot_price_retrieval FOREIGN KEY (retrieval) REFERENCES public.price_retrieval(id);
