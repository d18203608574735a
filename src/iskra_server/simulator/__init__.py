"""Simulated meters and the household behind them."""
