"""Records as rows: the columns of each table, by name."""

from typing import Any
from zlib import crc32

from iskra_server.history.model.records import (
    QUALITIES,
    EpochStart,
    MeterInfo,
    PointBlock,
    PowerQuarter,
    QuarterReading,
)

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


def quarter_reading_row(number: int, known: QuarterReading) -> RowValues:
    return {
        "series": number,
        "quarter": known.quarter,
        "raw": known.value.raw,
        "scaler": known.value.scaler,
        "quality": QUALITIES.index(known.quality),
        "epoch": known.epoch,
    }


def epoch_row(number: int, start: EpochStart) -> RowValues:
    return {
        "series": number,
        "epoch": start.epoch,
        "at_s": start.at_s,
        "before_raw": start.before.raw if start.before else None,
        "before_scaler": start.before.scaler if start.before else None,
        "after_raw": start.after.raw,
        "after_scaler": start.after.scaler,
    }


def power_row(number: int, quarter: PowerQuarter) -> RowValues:
    return {
        "meter": number,
        "quarter": quarter.quarter,
        "min_mw": quarter.min_mw,
        "mean_mw": quarter.mean_mw,
        "max_mw": quarter.max_mw,
        "telegrams": quarter.count,
    }


def points_row(number: int, block: PointBlock) -> RowValues:
    return {
        "meter": number,
        "first_s": block.first_s,
        "crc32": crc32(block.data),
        "last_s": block.last_s,
        "telegrams": block.count,
        "min_mw": block.min_mw,
        "mean_mw": block.mean_mw,
        "max_mw": block.max_mw,
        "octets": block.data,
    }
