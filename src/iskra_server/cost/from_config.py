"""The configured contracts and offers, checked together, with their prices as exact decimals."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from iskra_server.config import ContractConfig, Finding, GridConfig, OfferConfig, PricesConfig
from iskra_server.config.findings import error_of
from iskra_server.cost.contract_sentences import doubt, mistake
from iskra_server.cost.contracts import ANY_TIME, Contract, zones_of
from iskra_server.cost.controllable_loads import module_findings
from iskra_server.cost.doubtful_values import doubtful_values
from iskra_server.cost.tariffs import Fee, SpotShare
from iskra_server.cost.terms_from_config import terms_of
from iskra_server.cost.windows_from_config import Problems, exact
from iskra_server.history.model.periods import FIRST_YEAR, LAST_YEAR
from iskra_server.history.model.spot_price import SPOT_CURRENCY, ZONES
from iskra_server.meter import identity


def contracts_from_config(configured: Sequence[ContractConfig]) -> tuple[Contract, ...]:
    """Raises ConfigError for the first mistake."""
    return _without_problems(*_contracts(configured))


def offers_from_config(configured: Sequence[OfferConfig], contracts: Sequence[Contract] = ()) -> tuple[Contract, ...]:
    """Contracts that are compared, from any time on, in the currency of `contracts`. Raises ConfigError."""
    return _without_problems(*_offers(configured, contracts))


def contract_findings(contracts: Sequence[ContractConfig], offers: Sequence[OfferConfig], today: date) -> list[Finding]:
    """All mistakes, and what is probably not meant."""
    checked, problems = _contracts(contracts)
    offered, problems_of_offers = _offers(offers, checked)
    findings = [error_of(problem) for problem in problems + problems_of_offers]
    for section, entries, results in (("contracts", contracts, checked), ("offers", offers, offered)):
        for number, (configured, contract) in enumerate(zip(entries, results, strict=True), 1):
            findings += _warnings(configured, contract, f"{section}.{number}", today)
    findings += [
        doubt("no_begin", f"contracts.{number}.begins")
        for number, entry in enumerate(contracts, 1)
        if entry.begins == ANY_TIME
    ]
    first = min((contract.begins for contract in contracts), default=today)
    if first > today:
        key = f"contracts.{[contract.begins for contract in contracts].index(first) + 1}.begins"
        findings.append(doubt("later_begin", key, begins=first))
    return findings


def _without_problems(contracts: tuple[Contract, ...], problems: Problems) -> tuple[Contract, ...]:
    if problems:
        raise problems[0]
    return contracts


def _contracts(configured: Sequence[ContractConfig]) -> tuple[tuple[Contract, ...], Problems]:
    problems: Problems = []
    currencies = sorted({contract.currency for contract in configured})
    if len(currencies) > 1:
        names = " and ".join(currencies), " und ".join(currencies)
        problems.append(mistake("currencies", "contracts.currency", names=names))
    meters_of: dict[date, set[str]] = {}
    for number, contract in enumerate(configured, 1):
        if not FIRST_YEAR <= contract.begins.year <= LAST_YEAR:
            years = f"{FIRST_YEAR} to {LAST_YEAR}", f"{FIRST_YEAR} bis {LAST_YEAR}"
            problems.append(mistake("begins_years", f"contracts.{number}.begins", begins=contract.begins, years=years))
        meter, others = _meter(contract), meters_of.setdefault(contract.begins, set())
        if others and (meter in others or not meter or "" in others):
            problems.append(mistake("begin_together", f"contracts.{number}.begins", begins=contract.begins))
        others.add(meter)
    contracts = tuple(
        _contract(entry, f"contracts.{number}", problems, begins=entry.begins, currency=entry.currency)
        for number, entry in enumerate(configured, 1)
    )
    return contracts, problems


def _offers(configured: Sequence[OfferConfig], contracts: Sequence[Contract]) -> tuple[tuple[Contract, ...], Problems]:
    problems: Problems = []
    names = {contract.name for contract in contracts}
    for number, entry in enumerate(configured, 1):
        key = f"offers.{number}.name"
        if not entry.name:
            problems.append(mistake("offer_name", key))
        elif entry.name in names:
            problems.append(mistake("offer_name_used", key, name=entry.name))
        names.add(entry.name)
    currency = contracts[0].currency if contracts else "EUR"
    offers = tuple(
        _contract(entry, f"offers.{number}", problems, begins=ANY_TIME, currency=currency)
        for number, entry in enumerate(configured, 1)
    )
    return offers, problems


def _meter(configured: ContractConfig) -> str:
    """The meter in one form, whether it is given by its label or by its server id in hex."""
    name = identity.compact_name(configured.meter)
    try:
        label = identity.label(bytes.fromhex(name))
    except ValueError:
        return name
    return identity.compact_name(label) if label else name


def _contract(configured: PricesConfig, path: str, problems: Problems, *, begins: date, currency: str) -> Contract:
    terms = terms_of(configured, path, problems)
    if currency != SPOT_CURRENCY and terms and any(_counts(tariff.spot) for tariff in (terms.energy, terms.feed_in)):
        problems.append(mistake("spot_currency", path, path=path, currency=SPOT_CURRENCY, other=currency[:20]))
    further = (
        Fee("grid", exact(configured.grid_fee), configured.grid_fee_per),
        Fee("metering", exact(configured.metering_fee), configured.metering_fee_per),
    )
    return Contract(
        begins=begins,
        name=configured.name,
        meter=configured.meter,
        currency=currency,
        energy_price=exact(0.0 if terms else configured.energy_price),
        feed_in=exact(0.0 if terms else configured.feed_in),
        base_fee=exact(configured.base_fee),
        base_fee_per=configured.base_fee_per,
        instalment=exact(configured.instalment if isinstance(configured, ContractConfig) else 0.0),
        later_instalments=_instalments(configured, path, problems) if isinstance(configured, ContractConfig) else (),
        terms=terms,
        further_fees=tuple(fee for fee in further if fee.amount),
        grid_credit=exact(configured.grid.credit if configured.grid else 0.0),
    )


def _instalments(configured: ContractConfig, path: str, problems: Problems) -> tuple[tuple[date, Decimal], ...]:
    """Each with the day from which on it is paid."""
    found: dict[date, Decimal] = {}
    for text, amount in configured.instalments.items():
        try:
            # 20260701 is a date, too
            day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            day = date.min
        if day < configured.begins or amount < 0:
            problems.append(mistake("instalment_day", f"{path}.instalments.{text[:40]}"))
        else:
            found[day] = exact(amount)
    return tuple(sorted(found.items()))


def _counts(share: SpotShare | None) -> bool:
    """Whether more of a spot price than its sign counts."""
    return share is not None and bool(share.factor or share.factor_negative)


def _warnings(configured: PricesConfig, contract: Contract, path: str, today: date) -> list[Finding]:
    terms = contract.terms
    findings = [
        doubt("unknown_zone", path, path=path, zone=zone[:20])
        for zone in sorted(zones_of([contract]))
        if zone and zone not in ZONES
    ]
    findings += doubtful_values(configured, contract.currency, path)
    if terms is None or terms.is_gross:
        return findings
    if not configured.vat_percent:
        findings.append(doubt("no_vat", f"{path}.vat_percent", path=path))
    if terms.levies and 0 < terms.levies[-1][0] < today.year:
        findings.append(doubt("old_levies", f"{path}.levies", year=today.year, last=terms.levies[-1][0]))
    if isinstance(configured.grid, GridConfig):
        findings += module_findings(configured.grid, terms.grid, f"{path}.grid")
    return findings
