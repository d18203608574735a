// Types of the page. They are here, and not in its modules, so that no browser has to load them.
// What the server answers is in the namespace Api, made by api_types.py.

import type UPlot from "uplot";

declare global {
  interface Window {
    uPlot: typeof UPlot;
  }
  type Plot = UPlot;
  namespace Plot {
    type Axis = UPlot.Axis;
    type Series = UPlot.Series;
    type AlignedData = UPlot.AlignedData;
  }

  /** A kind of period, and the name of its view. */
  type Kind = "day" | "week" | "month" | "year" | "all";
  type GroupKind = "building" | "tenant" | "tariff";
  type BucketLength = Exclude<Api.Energy["bucket"], "week">;
  type Query = Record<string, string>;
  type PeriodQuery = { from: string; to?: string; bucket: BucketLength };

  /** What the hash names. */
  interface Address {
    view: string;
    parts: string[];
    query: URLSearchParams;
  }

  /** Fills `main`; the signal aborts when the view is left. */
  type View = (main: HTMLElement, address: Address, signal: AbortSignal) => void | Promise<void>;

  /** A quarter-hour of the local clock; energies are exact Wh, null where nothing was measured. */
  interface Quarter {
    at: number;
    day: string;
    clock: string;
    up: string | null;
    down: string | null;
  }

  interface Bar {
    up: number | null;
    down: number | null;
    kind: "whole" | "part" | "gap" | "ahead";
    mark?: boolean;
  }

  /** Texts are money in the manner of the reader, amounts are exact. */
  interface PeriodCost {
    total: string;
    amountOf(bucket: { begin: string }): string | undefined;
    textOf(bucket: { begin: string }): string;
  }

  /** The element of make("p.soft"): a paragraph. */
  type ElementOf<W extends string> = W extends `${infer Tag}.${string}` ? ElementOf<Tag>
    : W extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[W] : HTMLElement;

  /** A function is a listener: { onclick: ... }. */
  interface Attributes<E> {
    [name: string]: string | number | boolean | null | undefined | ((event: Event & { target: E }) => unknown);
  }

  type Content<E> = Node | string | Attributes<E> | null | undefined | false | Content<E>[];
}
