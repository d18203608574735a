// Cost: this month so far, each month of the contract year, and what the year will cost against its instalments.

import { askMeter } from "../api.js";
import { bars } from "../charts/bars.js";
import { dated, shifted, today } from "../clock.js";
import { money, price } from "../costs.js";
import { make, pair, say } from "../dom.js";
import { rounded } from "../exact.js";
import { words } from "../language.js";
import { axisNumber } from "../measured.js";
import { whenChosen } from "../store.js";

export function show(main, _place, signal) {
  const content = make("div.content", make("p.empty", words.loading));
  main.append(make("h1.hidden", words.sections.cost), content);
  whenChosen(signal, async () => {
    try {
      const month = await askMeter("cost", { from: "this_month", bucket: "day" }, signal);
      const [from, to] = yearOf(month);
      const year = await askMeter("cost", { from, to, bucket: "month" }, signal);
      if (!signal.aborted) await render(content, month, year, signal);
    } catch (problem) {
      if (!signal.aborted) content.replaceChildren(problem.reason === "no_contract" ? setUp() : make("p.empty.card", problem.message));
    }
  });
}

/** The days of the contract year; the last twelve months without one. */
function yearOf({ year }) {
  return year ? [year.begin.slice(0, 10), shifted(year.end.slice(0, 10), -1)] : [shifted(today(), -364), today()];
}

async function render(content, month, year, signal) {
  const { currency } = month;
  content.replaceChildren(make("div.costs", soFar(month), month.year ? forecast(month) : make("section.card", make("h2", words.cost.year), make("p.soft", words.cost.tooEarly))));
  const told = make("p.told", { "aria-live": "polite" }, words.cost.legend);
  const box = make("div.chart");
  content.append(make("section.card.chart-card", make("h2", words.cost.byMonth), told, box));
  if (month.contract) content.append(contract(month.contract, currency));
  const now = Date.now();
  const shown = year.buckets.map(({ begin, paid }) => ({
    up: paid ? Math.max(0, Number(paid.total_amount)) : null, down: paid && Number(paid.total_amount) < 0 ? -Number(paid.total_amount) : null,
    kind: Date.parse(begin) > now ? "ahead" : paid ? "whole" : "gap",
  }));
  const text = (at) => bucketText(year.buckets[at], shown[at], currency);
  await bars(box, shown, {
    unit: currency, labels: year.buckets.map(({ begin }, at) => [at, dated(begin.slice(0, 10), { month: "short" })]), middle: true,
    label: words.cost.byMonth, text, signal, number: axisNumber, onPick: (at) => say(told, at === null ? words.cost.legend : text(at)),
  });
}

function bucketText({ begin, end, paid }, { kind }, currency) {
  const [first, last] = [begin.slice(0, 10), shifted(end.slice(0, 10), -1)];
  const name = first.slice(8) === "01" && shifted(last, 1).slice(8) === "01" ? dated(first, { month: "long", year: "numeric" })
    : `${dated(first, { day: "numeric", month: "short" })} – ${dated(last, { day: "numeric", month: "short", year: "numeric" })}`;
  if (!paid) return `${name} · ${kind === "ahead" ? words.ahead : words.notMeasured}`;
  return `${name} · ${money(paid.total_amount, currency)} (${parts(paid, currency).map(([what, text]) => `${what} ${text}`).join(", ")})`;
}

function parts(paid, currency) {
  const fed = Number(paid.export_amount) ? [[words.fed, `−${money(paid.export_amount, currency)}`]] : [];
  return [[words.drawn, money(paid.import_amount, currency)], [words.cost.base, money(paid.base_amount, currency)], ...fed];
}

function soFar(month) {
  return make("section.card", make("h2", words.cost.soFar(dated(month.begin.slice(0, 10), { month: "long" }))),
    make("p.middle", money(month.total.total_amount, month.currency)),
    make("dl.pairs", parts(month.total, month.currency).map(([name, text]) => pair(name, text))));
}

function forecast({ year, currency }) {
  const difference = Number(year.difference_amount);
  const hasInstalments = Number(year.instalments_amount) > 0;
  const amount = (each) => money(each, currency);
  const last = shifted(year.end.slice(0, 10), -1);
  const most = Math.max(Number(year.total_amount), Number(year.instalments_amount), 1);
  const meter = (name, value, kind) => make("div.versus", { "data-kind": kind }, make("span", name), make("span.amount", amount(value)),
    make("progress", { max: String(most), value: String(Math.max(0, Number(value))), "aria-label": name }));
  return make("section.card", make("h2", words.cost.year),
    make("p.middle", amount(year.total_amount)),
    make("p.soft", words.cost.until(dated(last, { day: "numeric", month: "long", year: "numeric" })), " ", words.cost.basis[year.basis]),
    hasInstalments && make("div", meter(words.cost.forecast, year.total_amount, "forecast"), meter(words.cost.instalments, year.instalments_amount, "paid")),
    hasInstalments && make("p.outcome", difference > 0 ? words.cost.toPay(amount(year.difference_amount)) : words.cost.back(amount(String(-difference)))),
    make("dl.pairs", pair(words.drawn, `${rounded(year.import_wh, 0, 3)} kWh`), Number(year.export_wh) ? pair(words.fed, `${rounded(year.export_wh, 0, 3)} kWh`) : null,
      hasInstalments && pair(words.cost.fitting, amount(String(Number(year.total_amount) / 12)))));
}

function contract(known, currency) {
  const of = words.cost.contract;
  return make("section.card.prose", make("h2", known.name || of.title), make("dl.pairs",
    known.begins > "1970-01-01" && pair(of.since, dated(known.begins, { dateStyle: "long" })),
    pair(of.energy, `${price(known.energy_amount, currency)} / kWh`), pair(of.base[known.base_per], money(known.base_amount, currency)),
    Number(known.feed_in_amount) ? pair(of.feedIn, `${price(known.feed_in_amount, currency)} / kWh`) : null,
    Number(known.instalment_amount) ? pair(of.instalment, money(known.instalment_amount, currency)) : null));
}

/** How to write a contract. */
function setUp() {
  const example = `[[contracts]]\nbegins = ${today().slice(0, 4)}-01-01\nenergy_price = 0.3265\nbase_fee = 11.90\nfeed_in = 0.0811\ninstalment = 85.00\n`;
  return make("section.card.prose", make("h2", words.cost.none), make("p", words.cost.how), make("pre", { tabindex: "0" }, example), make("p.soft", words.cost.units));
}
