BEGIN TRANSACTION;
CREATE TABLE boundary (
	series INTEGER NOT NULL, 
	quarter INTEGER NOT NULL, 
	raw BIGINT NOT NULL, 
	scaler SMALLINT NOT NULL, 
	quality SMALLINT NOT NULL, 
	epoch INTEGER NOT NULL, 
	CONSTRAINT pk_boundary PRIMARY KEY (series, quarter), 
	CONSTRAINT fk_boundary_series FOREIGN KEY(series) REFERENCES series (id)
)
 WITHOUT ROWID

;
INSERT INTO "boundary" VALUES(1,1959784,107323091,-1,0,0);
INSERT INTO "boundary" VALUES(1,1959785,107323999,-1,1,0);
INSERT INTO "boundary" VALUES(2,1959784,9223372036854775807,-18,0,0);
INSERT INTO "boundary" VALUES(2,1959785,12,3,0,1);
INSERT INTO "boundary" VALUES(7,1962784,0,0,0,0);
CREATE TABLE clock_step (
	id INTEGER NOT NULL, 
	from_s BIGINT NOT NULL, 
	to_s BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT pk_clock_step PRIMARY KEY (id)
);
INSERT INTO "clock_step" VALUES(1,90,1763805600,'The clock was set.');
CREATE TABLE "conflict" (
	series INTEGER NOT NULL, 
	quarter INTEGER NOT NULL, 
	reader TEXT NOT NULL, 
	raw BIGINT NOT NULL, 
	scaler SMALLINT NOT NULL, 
	quality SMALLINT NOT NULL, 
	kept_raw BIGINT, 
	kept_scaler SMALLINT, 
	kept_reader TEXT, 
	at_s BIGINT NOT NULL, 
	CONSTRAINT pk_conflict PRIMARY KEY (series, quarter, reader, raw, scaler), 
	CONSTRAINT fk_conflict_series FOREIGN KEY(series) REFERENCES series (id)
)
 WITHOUT ROWID

;
INSERT INTO "conflict" VALUES(1,1959784,'house-8',5,0,0,107323091,-1,'house-7',1763805600);
INSERT INTO "conflict" VALUES(1,1959786,'house-8',6,0,1,NULL,NULL,'house-7',1763805600);
CREATE TABLE epoch (
	series INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	at_s BIGINT NOT NULL, 
	before_raw BIGINT, 
	before_scaler SMALLINT, 
	after_raw BIGINT NOT NULL, 
	after_scaler SMALLINT NOT NULL, 
	CONSTRAINT pk_epoch PRIMARY KEY (series, epoch), 
	CONSTRAINT fk_epoch_series FOREIGN KEY(series) REFERENCES series (id)
)
 WITHOUT ROWID

;
INSERT INTO "epoch" VALUES(2,1,1763805677,9223372036854775807,-18,7,3);
INSERT INTO "epoch" VALUES(7,0,1763805600,NULL,NULL,0,0);
CREATE TABLE epoch_origin (
	series INTEGER NOT NULL, 
	ledger TEXT NOT NULL, 
	ledger_epoch INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	at_s BIGINT, 
	before_raw BIGINT, 
	before_scaler SMALLINT, 
	after_raw BIGINT, 
	after_scaler SMALLINT, 
	from_quarter INTEGER NOT NULL, 
	CONSTRAINT pk_epoch_origin PRIMARY KEY (series, ledger, ledger_epoch), 
	CONSTRAINT fk_epoch_origin_series FOREIGN KEY(series) REFERENCES series (id)
)
 WITHOUT ROWID

;
INSERT INTO "epoch_origin" VALUES(1,'',0,0,NULL,NULL,NULL,NULL,NULL,2147483647);
INSERT INTO "epoch_origin" VALUES(2,'',0,0,NULL,NULL,NULL,NULL,NULL,2147483647);
INSERT INTO "epoch_origin" VALUES(2,'',1,1,1763805677,9223372036854775807,-18,7,3,2147483647);
INSERT INTO "epoch_origin" VALUES(2,'0a1b@house-8',0,1,1763805600,108,-1,0,0,1959785);
INSERT INTO "epoch_origin" VALUES(7,'',0,0,NULL,NULL,NULL,NULL,NULL,2147483647);
CREATE TABLE iskra_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT iskra_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "iskra_schema" VALUES('0007');
CREATE TABLE label (
	meter INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	from_quarter INTEGER DEFAULT '0' NOT NULL, 
	to_quarter INTEGER DEFAULT '2147483647' NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_label PRIMARY KEY (meter, kind, from_quarter), 
	CONSTRAINT fk_label_meter FOREIGN KEY(meter) REFERENCES meter (id)
)
 WITHOUT ROWID

;
INSERT INTO "label" VALUES(1,'building',0,2147483647,'7');
INSERT INTO "label" VALUES(1,'tenant',0,2147483647,'Meyer');
INSERT INTO "label" VALUES(2,'tenant',1959784,1959880,'Meyer');
INSERT INTO "label" VALUES(2,'tenant',1959880,2147483647,'Neu');
CREATE TABLE live (
	meter INTEGER NOT NULL, 
	reader TEXT NOT NULL, 
	at_s BIGINT NOT NULL, 
	at_quarter INTEGER DEFAULT '0' NOT NULL, 
	power_mw BIGINT, 
	CONSTRAINT pk_live PRIMARY KEY (meter), 
	CONSTRAINT fk_live_meter FOREIGN KEY(meter) REFERENCES meter (id)
)
 WITHOUT ROWID

;
INSERT INTO "live" VALUES(1,'house-7',1763805600,1959784,-425000);
INSERT INTO "live" VALUES(2,'house-7',1763805600,1959784,NULL);
CREATE TABLE meter (
	id INTEGER NOT NULL, 
	meter_id TEXT NOT NULL, 
	server_id TEXT NOT NULL, 
	simulated BOOLEAN NOT NULL, 
	first_s BIGINT NOT NULL, 
	last_s BIGINT NOT NULL, 
	replaced_by INTEGER, port TEXT, 
	CONSTRAINT pk_meter PRIMARY KEY (id), 
	CONSTRAINT uq_meter_meter_id UNIQUE (meter_id), 
	CONSTRAINT fk_meter_replaced_by FOREIGN KEY(replaced_by) REFERENCES meter (id)
);
INSERT INTO "meter" VALUES(1,'1 ISK 00 12345678','0a0149534b0000bc614e',0,1763805600,1763807400,2,NULL);
INSERT INTO "meter" VALUES(2,'1 ISK 00 87654321','0a0149534b00053980b1',0,1763807400,1763809200,NULL,NULL);
INSERT INTO "meter" VALUES(3,'Zähler "Müller"; ''x'' --','',0,0,9007199254740992,NULL,NULL);
INSERT INTO "meter" VALUES(5,'1 ISK 00 00000005','0a0149534b0000000005',0,1763805600,1763805600,NULL,'/dev/ttyUSB0');
CREATE TABLE meter_reader (
	meter INTEGER NOT NULL, 
	since_s BIGINT NOT NULL, 
	reader TEXT NOT NULL, 
	CONSTRAINT pk_meter_reader PRIMARY KEY (meter, since_s), 
	CONSTRAINT fk_meter_reader_meter FOREIGN KEY(meter) REFERENCES meter (id)
)
 WITHOUT ROWID

;
INSERT INTO "meter_reader" VALUES(1,0,'house-7');
INSERT INTO "meter_reader" VALUES(2,0,'house-7');
INSERT INTO "meter_reader" VALUES(5,1763805600,'house-8');
CREATE TABLE other_price (
	zone TEXT NOT NULL, 
	quarter INTEGER NOT NULL, 
	raw BIGINT NOT NULL, 
	minutes SMALLINT NOT NULL, 
	retrieval INTEGER NOT NULL, 
	CONSTRAINT pk_other_price PRIMARY KEY (zone, quarter, raw, minutes), 
	CONSTRAINT fk_other_price_retrieval FOREIGN KEY(retrieval) REFERENCES price_retrieval (id)
)
 WITHOUT ROWID

;
INSERT INTO "other_price" VALUES('DE-LU',1959784,81230000,60,2);
CREATE TABLE outbox (
	meter INTEGER NOT NULL, 
	quarter INTEGER NOT NULL, 
	mark INTEGER NOT NULL, reason TEXT, refused BOOLEAN DEFAULT 0 NOT NULL, retry_s BIGINT, 
	CONSTRAINT pk_outbox PRIMARY KEY (meter, quarter), 
	CONSTRAINT fk_outbox_meter FOREIGN KEY(meter) REFERENCES meter (id)
)
 WITHOUT ROWID

;
INSERT INTO "outbox" VALUES(1,1959784,1,'The message is cut.',1,NULL);
INSERT INTO "outbox" VALUES(1,1959785,1,'Wait.',0,1763805600);
INSERT INTO "outbox" VALUES(2,1962784,3,NULL,0,NULL);
CREATE TABLE points (
	meter INTEGER NOT NULL, 
	first_s BIGINT NOT NULL, 
	crc32 BIGINT NOT NULL, 
	last_s BIGINT NOT NULL, 
	telegrams INTEGER NOT NULL, 
	min_mw BIGINT, 
	mean_mw BIGINT, 
	max_mw BIGINT, 
	octets BLOB NOT NULL, 
	CONSTRAINT pk_points PRIMARY KEY (meter, first_s, crc32), 
	CONSTRAINT fk_points_meter FOREIGN KEY(meter) REFERENCES meter (id)
);
INSERT INTO "points" VALUES(1,1763805600,1788506909,1763805601,2,230000,230500,231000,X'0178DA636260666084400E86FFFFFFCB015902EC0CFF1918A41918181280620C0DFFFF33330085998002403C9371F52C4620EB05F3E579A96C40310646C6670C10C0C8B860372F940500D5B90F49');
INSERT INTO "points" VALUES(2,1763805600,1788506909,1763805601,2,NULL,NULL,NULL,X'0178DA636260666084400E86FFFFFFCB015902EC0CFF1918A41918181280620C0DFFFF33330085998002403C9371F52C4620EB05F3E579A96C40310646C6670C10C0C8B860372F940500D5B90F49');
CREATE TABLE power (
	meter INTEGER NOT NULL, 
	quarter INTEGER NOT NULL, 
	min_mw BIGINT NOT NULL, 
	mean_mw BIGINT NOT NULL, 
	max_mw BIGINT NOT NULL, 
	telegrams INTEGER NOT NULL, 
	CONSTRAINT pk_power PRIMARY KEY (meter, quarter), 
	CONSTRAINT fk_power_meter FOREIGN KEY(meter) REFERENCES meter (id)
)
 WITHOUT ROWID

;
INSERT INTO "power" VALUES(1,1959784,-1500,230000,69000000000,900);
INSERT INTO "power" VALUES(2,1962784,0,0,0,1);
CREATE TABLE price_retrieval (
	id INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	at_s BIGINT NOT NULL, 
	CONSTRAINT pk_price_retrieval PRIMARY KEY (id)
);
INSERT INTO "price_retrieval" VALUES(2,'energy-charts',1763805600);
CREATE TABLE reader (
	name TEXT NOT NULL, 
	at_s BIGINT NOT NULL, 
	ok BOOLEAN NOT NULL, 
	sentence TEXT NOT NULL, 
	status TEXT NOT NULL, 
	version TEXT, 
	session TEXT, 
	session_s BIGINT, 
	rival_s BIGINT, 
	skew_s BIGINT, 
	waiting BIGINT, 
	refused BIGINT, 
	oldest_s BIGINT, 
	CONSTRAINT pk_reader PRIMARY KEY (name)
)
 WITHOUT ROWID

;
INSERT INTO "reader" VALUES('house-7',1763805600,0,'No port.','[{}]',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "reader" VALUES('house-8',1763805600,1,'All is well.','[]','0.1.0','5f0a',1763805600,1763805607,-3,5,1,1763805600);
CREATE TABLE refused (
	id INTEGER NOT NULL, 
	at_s BIGINT NOT NULL, 
	topic TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	octets BLOB NOT NULL, 
	CONSTRAINT pk_refused PRIMARY KEY (id)
);
INSERT INTO "refused" VALUES(9,1763805600,'iskra/v1/house-7/quarters','It is cut.',X'00FF275C');
CREATE TABLE rollup (
	begin_quarter INTEGER NOT NULL, 
	end_quarter INTEGER NOT NULL, 
	series INTEGER NOT NULL, 
	scaler SMALLINT NOT NULL, 
	energy_1 BIGINT, 
	energy_2 BIGINT, 
	energy_3 BIGINT, 
	energy_4 BIGINT, 
	energy_5 BIGINT, 
	energy_6 BIGINT, 
	energy_7 BIGINT, 
	energy_8 BIGINT, 
	energy_9 BIGINT, 
	energy_10 BIGINT, 
	energy_11 BIGINT, 
	energy_12 BIGINT, 
	energy_13 BIGINT, 
	energy_14 BIGINT, 
	energy_15 BIGINT, 
	energy_16 BIGINT, 
	energy_17 BIGINT, 
	energy_18 BIGINT, 
	energy_19 BIGINT, 
	energy_20 BIGINT, 
	energy_21 BIGINT, 
	energy_22 BIGINT, 
	energy_23 BIGINT, 
	energy_24 BIGINT, 
	energy_25 BIGINT, 
	energy_26 BIGINT, 
	energy_27 BIGINT, 
	energy_28 BIGINT, 
	energy_29 BIGINT, 
	energy_30 BIGINT, 
	energy_31 BIGINT, 
	estimated_1 SMALLINT, 
	estimated_2 SMALLINT, 
	estimated_3 SMALLINT, 
	estimated_4 SMALLINT, 
	estimated_5 SMALLINT, 
	estimated_6 SMALLINT, 
	estimated_7 SMALLINT, 
	estimated_8 SMALLINT, 
	estimated_9 SMALLINT, 
	estimated_10 SMALLINT, 
	estimated_11 SMALLINT, 
	estimated_12 SMALLINT, 
	estimated_13 SMALLINT, 
	estimated_14 SMALLINT, 
	estimated_15 SMALLINT, 
	estimated_16 SMALLINT, 
	estimated_17 SMALLINT, 
	estimated_18 SMALLINT, 
	estimated_19 SMALLINT, 
	estimated_20 SMALLINT, 
	estimated_21 SMALLINT, 
	estimated_22 SMALLINT, 
	estimated_23 SMALLINT, 
	estimated_24 SMALLINT, 
	estimated_25 SMALLINT, 
	estimated_26 SMALLINT, 
	estimated_27 SMALLINT, 
	estimated_28 SMALLINT, 
	estimated_29 SMALLINT, 
	estimated_30 SMALLINT, 
	estimated_31 SMALLINT, 
	CONSTRAINT pk_rollup PRIMARY KEY (begin_quarter, end_quarter, series, scaler), 
	CONSTRAINT fk_rollup_series FOREIGN KEY(series) REFERENCES series (id)
)
 WITHOUT ROWID

;
INSERT INTO "rollup" VALUES(1959784,1962760,1,-1,908,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,9223372036854775807,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE rollup_due (
	end_quarter INTEGER NOT NULL, 
	begin_quarter INTEGER NOT NULL, 
	meter INTEGER NOT NULL, 
	CONSTRAINT pk_rollup_due PRIMARY KEY (end_quarter, begin_quarter, meter), 
	CONSTRAINT fk_rollup_due_meter FOREIGN KEY(meter) REFERENCES meter (id)
)
 WITHOUT ROWID

;
INSERT INTO "rollup_due" VALUES(1959880,1959784,1);
CREATE TABLE rollup_part (
	begin_quarter INTEGER NOT NULL, 
	end_quarter INTEGER NOT NULL, 
	series INTEGER NOT NULL, 
	raw BIGINT NOT NULL, 
	scaler SMALLINT NOT NULL, 
	quarters SMALLINT NOT NULL, 
	estimated SMALLINT NOT NULL, 
	begin_known BOOLEAN NOT NULL, 
	end_known BOOLEAN NOT NULL, 
	CONSTRAINT pk_rollup_part PRIMARY KEY (begin_quarter, end_quarter, series), 
	CONSTRAINT fk_rollup_part_series FOREIGN KEY(series) REFERENCES series (id)
)
 WITHOUT ROWID

;
INSERT INTO "rollup_part" VALUES(1959784,1959880,2,5,0,1,0,1,0);
CREATE TABLE rollup_state (
	zone TEXT NOT NULL, 
	since_quarter INTEGER NOT NULL, 
	open_quarter INTEGER NOT NULL, 
	CONSTRAINT pk_rollup_state PRIMARY KEY (zone)
)
 WITHOUT ROWID

;
INSERT INTO "rollup_state" VALUES('Europe/Berlin',1959784,1959880);
CREATE TABLE series (
	id INTEGER NOT NULL, 
	meter INTEGER NOT NULL, 
	obis TEXT NOT NULL, 
	CONSTRAINT pk_series PRIMARY KEY (id), 
	CONSTRAINT uq_series_meter_obis UNIQUE (meter, obis), 
	CONSTRAINT fk_series_meter FOREIGN KEY(meter) REFERENCES meter (id)
);
INSERT INTO "series" VALUES(1,1,'1-0:1.8.0*255');
INSERT INTO "series" VALUES(2,1,'1-0:2.8.0*255');
INSERT INTO "series" VALUES(7,2,'1-0:1.8.0*255');
CREATE TABLE set_aside (
	id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	meter INTEGER NOT NULL, 
	moment_s BIGINT NOT NULL, 
	at_s BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_set_aside PRIMARY KEY (id)
);
INSERT INTO "set_aside" VALUES(3,'power',1,900,1763805600,'before 2000',X'7B226D65746572223A312C2271756172746572223A312C226D696E5F6D77223A302C226D65616E5F6D77223A302C226D61785F6D77223A302C2274656C656772616D73223A317D');
CREATE TABLE spot_price (
	zone TEXT NOT NULL, 
	quarter INTEGER NOT NULL, 
	raw BIGINT NOT NULL, 
	minutes SMALLINT NOT NULL, 
	retrieval INTEGER NOT NULL, 
	CONSTRAINT pk_spot_price PRIMARY KEY (zone, quarter), 
	CONSTRAINT fk_spot_price_retrieval FOREIGN KEY(retrieval) REFERENCES price_retrieval (id)
)
 WITHOUT ROWID

;
INSERT INTO "spot_price" VALUES('DE-LU',1959784,-500000000,15,2);
INSERT INTO "spot_price" VALUES('DE-LU',1959785,81230000,60,2);
CREATE TABLE uplink (
	reader TEXT NOT NULL, 
	since_s BIGINT NOT NULL, ledger TEXT, confirmed_s BIGINT, 
	CONSTRAINT pk_uplink PRIMARY KEY (reader)
)
 WITHOUT ROWID

;
INSERT INTO "uplink" VALUES('house-7',1763805600,NULL,NULL);
CREATE INDEX ix_outbox_quarter ON outbox (quarter, meter);
CREATE INDEX ix_label_value ON label (kind, value, meter);
CREATE INDEX ix_live_at_quarter ON live (at_quarter, meter);
CREATE INDEX ix_meter_compact ON meter (lower(replace(meter_id, ' ', '')));
CREATE INDEX ix_meter_server_id ON meter (server_id);
CREATE INDEX ix_meter_replaced_by ON meter (replaced_by) WHERE replaced_by IS NOT NULL;
CREATE INDEX ix_meter_reader_reader ON meter_reader (reader, meter);
COMMIT;
