"""Records of the model as rows of the tables, and back."""

from typing import Any
from zlib import crc32

from sqlalchemy import Row

from iskra_server.history.model.records import (
    QUALITIES,
    EpochStart,
    Exact,
    MeterInfo,
    PointBlock,
    PowerQuarter,
    QuarterReading,
)
from iskra_server.meter.obis import Obis

# the values of a row by the names of their columns
RowValues = dict[str, Any]


def meter_row(info: MeterInfo) -> RowValues:
    return {
        "meter_id": info.meter_id,
        "server_id": info.server_id,
        "simulated": info.simulated,
        "first_s": info.first_s,
        "last_s": info.last_s,
        "port": info.port or None,
    }


def quarter_reading_row(series_id: int, reading: QuarterReading) -> RowValues:
    return {
        "series": series_id,
        "quarter": reading.quarter,
        "raw": reading.value.raw,
        "scaler": reading.value.scaler,
        "quality": QUALITIES.index(reading.quality),
        "epoch": reading.epoch,
    }


def epoch_row(series_id: int, start: EpochStart) -> RowValues:
    return {
        "series": series_id,
        "epoch": start.epoch,
        "at_s": start.at_s,
        "before_raw": start.before.raw if start.before else None,
        "before_scaler": start.before.scaler if start.before else None,
        "after_raw": start.after.raw,
        "after_scaler": start.after.scaler,
    }


def power_row(meter_row_id: int, quarter: PowerQuarter) -> RowValues:
    return {
        "meter": meter_row_id,
        "quarter": quarter.quarter,
        "min_mw": quarter.min_mw,
        "mean_mw": quarter.mean_mw,
        "max_mw": quarter.max_mw,
        "telegrams": quarter.count,
    }


def points_row(meter_row_id: int, block: PointBlock) -> RowValues:
    return {
        "meter": meter_row_id,
        "first_s": block.first_s,
        "crc32": crc32(block.data),
        "last_s": block.last_s,
        "telegrams": block.count,
        "min_mw": block.min_mw,
        "mean_mw": block.mean_mw,
        "max_mw": block.max_mw,
        "octets": block.data,
    }


def quarter_reading_of(meter_id: str, obis: Obis, row: Row[Any]) -> QuarterReading:
    return QuarterReading(meter_id, obis, row.quarter, Exact(row.raw, row.scaler), QUALITIES[row.quality], row.epoch)


def epoch_start_of(meter_id: str, obis: Obis, row: Row[Any]) -> EpochStart:
    before = None if row.before_raw is None else Exact(row.before_raw, row.before_scaler)
    return EpochStart(meter_id, obis, row.epoch, row.at_s, before, Exact(row.after_raw, row.after_scaler))


def point_block_of(meter_id: str, row: Row[Any]) -> PointBlock:
    power_mw = row.min_mw, row.mean_mw, row.max_mw
    return PointBlock(meter_id, row.first_s, row.last_s, row.telegrams, row.octets, *power_mw)
