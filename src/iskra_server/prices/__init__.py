"""Spot prices: who publishes them, fetching them once a day, and the cheapest hours ahead."""
