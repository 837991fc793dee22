import { Counter, type Registry } from "prom-client";

/** A counter's child: adding is one number addition, prom-client hears of it at the next scrape. */
export interface CounterCell {
  add(n: number): void;
}

/** A counter family whose children are bound once and then cost nothing on the hot path (bench/README.md, `sqlite-1`). */
export interface CounterFamily {
  /** The child of these label values, in the order of the family's labels; made at zero so that it shows at once. */
  cell(...values: readonly string[]): CounterCell;
}

interface Pending extends CounterCell {
  readonly labels: Record<string, string>;
  fresh: number;
}

export const createCounter = (
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
): CounterFamily => {
  const cells = new Map<string, Pending>();
  new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      for (const cell of cells.values()) {
        this.inc(cell.labels, cell.fresh);
        cell.fresh = 0;
      }
    },
  });
  return {
    cell: (...values) => {
      const key = values.length === 1 ? (values[0] as string) : values.join("\u0000");
      const known = cells.get(key);
      if (known) return known;
      const made: Pending = {
        labels: Object.fromEntries(labelNames.map((label, i) => [label, values[i] ?? ""])),
        fresh: 0,
        add: (n) => {
          made.fresh += n;
        },
      };
      cells.set(key, made);
      return made;
    },
  };
};
