/** JSON.stringify for values nested deeper than the engine's stack: the same text, written without recursion. */

type Frame = {
  readonly keys: Iterator<string | number>;
  readonly node: object;
  readonly close: string;
  first: boolean;
};

export const stringifyDeep = (value: unknown): string => {
  const out: string[] = [];
  const open: Frame[] = [];
  const write = (item: unknown): void => {
    if (typeof item !== "object" || item === null || isRaw(item)) {
      out.push(JSON.stringify(item) ?? "null");
      return;
    }
    const list = Array.isArray(item);
    out.push(list ? "[" : "{");
    const keys = list ? item.keys() : Object.keys(item).values();
    open.push({ keys, node: item, close: list ? "]" : "}", first: true });
  };
  write(value);
  for (let frame = open.at(-1); frame !== undefined; frame = open.at(-1)) {
    const next = frame.keys.next();
    if (next.done) {
      out.push(frame.close);
      open.pop();
      continue;
    }
    const item = (frame.node as Record<string | number, unknown>)[next.value];
    const named = typeof next.value === "string";
    if (named && item === undefined) continue;
    if (!frame.first) out.push(",");
    frame.first = false;
    if (named) out.push(JSON.stringify(next.value), ":");
    write(item);
  }
  return out.join("");
};

const { isRawJSON: isRaw } = JSON as unknown as { isRawJSON(value: unknown): boolean };
