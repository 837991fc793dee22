import type { Plan } from "../bind/plan.ts";

/**
 * What a generated program refers to. Slots and conditions become local variables, constants become parameters; a name
 * is a letter and a number, never anything that a rule says.
 */
export interface Names {
  readonly constants: readonly unknown[];
  /** Counts a condition; answers how often it has been met. */
  use(plan: Plan): number;
  /** The condition as an expression, remembered when it stands more than once. */
  shared(plan: Plan, test: () => string): string;
  /** The value of a slot, read on first use. */
  slot(slot: number): string;
  /**
   * What `write` writes runs only if what was written before it comes out one way: what is read and decided in there is
   * not known to be so behind it.
   */
  perhaps<T>(write: () => T): T;
  /** Some value, object or function as a name; equal keys share one. */
  constant(key: string, make: () => unknown): string;
  prelude(): string;
  /** Declarations. */
  locals(): string;
}

/** The values of the slots `given` are handed to the program. */
export const createNames = (given: readonly number[]): Names => {
  const constants: unknown[] = [];
  const constantNames = new Map<string, string>();
  const slots = new Set<number>();
  const uses = new Map<number, number>();
  const remembered = new Map<number, number>();
  /** Slots that have been read and conditions that have been decided, whichever way the program came here. */
  let settled: ReadonlySet<string> = new Set(given.map((slot) => `v${slot}`));
  const note = (name: string): void => {
    settled = new Set([...settled, name]);
  };
  const keyOf = createPlanNumbers();
  return {
    constants,
    use: (plan) => {
      const key = keyOf(plan);
      const n = (uses.get(key) ?? 0) + 1;
      uses.set(key, n);
      return n;
    },
    shared: (plan, test) => {
      const key = keyOf(plan);
      if ((uses.get(key) ?? 0) < 2) return test();
      let n = remembered.get(key);
      if (n === undefined) {
        n = remembered.size;
        remembered.set(key, n);
      }
      const name = `b${n}`;
      if (settled.has(name)) return `(${name}===1)`;
      // Where it was decided before, what it reads was read then.
      const code = `(${name}!==0?${name}===1:(${name}=${test()}?1:2)===1)`;
      note(name);
      return code;
    },
    slot: (slot) => {
      const name = `v${slot}`;
      slots.add(slot);
      if (settled.has(name)) return name;
      note(name);
      return `(${name}!==unread?${name}:${name}=r${slot}(event))`;
    },
    perhaps: (write) => {
      const before = settled;
      const written = write();
      settled = before;
      return written;
    },
    constant: (key, make) => {
      let name = constantNames.get(key);
      if (name === undefined) {
        name = `k${constants.length}`;
        constantNames.set(key, name);
        constants.push(make());
      }
      return name;
    },
    prelude: () =>
      [
        "const unread=Symbol();",
        ...constants.map((_, n) => `const k${n}=constants[${n}];`),
        ...Array.from(slots, (n) => `const r${n}=read[${n}];`),
      ].join("\n"),
    locals: () =>
      [
        "let t;",
        ...Array.from(slots, (n) => `let v${n}=${given.includes(n) ? `given[${given.indexOf(n)}]` : "unread"};`),
        ...Array.from(remembered.values(), (n) => `let b${n}=0;`),
      ].join("\n"),
  };
};

/** Numbers conditions: equal ones have one number. */
const createPlanNumbers = (): ((plan: Plan) => number) => {
  const keys = new WeakMap<Plan, number>();
  const numbers = new Map<string, number>();
  const keyOf = (plan: Plan): number => {
    let key = keys.get(plan);
    if (key === undefined) {
      const written = planKey(plan, keyOf);
      key = numbers.get(written) ?? numbers.size;
      numbers.set(written, key);
      keys.set(plan, key);
    }
    return key;
  };
  return keyOf;
};

/** Equal keys mean equal conditions. */
const planKey = (plan: Plan, keyOf: (plan: Plan) => number): string => {
  switch (plan.kind) {
    case "and":
    case "or":
      return `(${plan.kind} ${plan.children.map(keyOf).join(" ")})`;
    case "not":
      return `(not ${keyOf(plan.child)})`;
    case "check":
      return valueKey(plan);
  }
};

export const valueKey = (value: unknown): string =>
  JSON.stringify(value, (_name, each: unknown) => (typeof each === "bigint" ? { big: String(each) } : each));
