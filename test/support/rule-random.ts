/** A small seeded generator (mulberry32): the same seed makes the same rules. */
export const createRandom = (seed: number) => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n: number): number => Math.floor(next() * n);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  return { next, below, pick };
};

export type Random = ReturnType<typeof createRandom>;

const texts = ["ka.verb", "ka.user.name", "ka.target.name", "ka.uri", "ka.response.code", "ka.target.namespace"];
const keyed = ["ka.uri.param[dryRun]", "jevt.value[/user/username]", "jevt.value[/objectRef/resource]", "ka.stage"];
const lists = [
  "ka.user.groups",
  "ka.req.pod.containers.image",
  "ka.req.pod.volumes.hostpath",
  "ka.req.pod.containers.image[0]",
];
const numbers = ["evt.num", "len(ka.user.name)", "len(ka.user.groups)", "evt.rawtime.s"];
const words = [
  "create",
  "get",
  "alice",
  '""',
  "nginx",
  "201",
  "403",
  "kube-system",
  "default",
  '"Bob Smith"',
  "a*b",
  "dev",
  "/healthz",
  "ü",
  "<NA>",
  "system:masters",
  "c",
  "e",
];
const globs = ["*e*", "cr?ate", "[a-c]*", "*", "s*:*", "[!a]*", '""'];
const patterns = ["'cr[e]ate'", "'.*'", "'(a|b|s).*'", "'[[:digit:]]+'", "'[^a]+'", "'a?.+'"];
const paths = ["/api", "/", "/api/*/namespaces", "/healthz", "a"];

const several = (r: Random, from: readonly string[]): string =>
  `(${Array.from({ length: r.below(4) }, () => r.pick(from)).join(", ")})`;

const textField = (r: Random): string => {
  const field = r.pick([...texts, ...keyed]);
  switch (r.below(12)) {
    case 0:
      return `tolower(${field})`;
    case 1:
      return `toupper(${field})`;
    case 2:
      return `basename(${field})`;
    case 3:
      return `concat(${field}, "-", ${r.pick(texts)})`;
    case 4:
      return `b64(${field})`;
    default:
      return field;
  }
};

export const randomCheck = (r: Random): string => {
  switch (r.below(14)) {
    case 0:
      return `${r.pick([...texts, ...lists, ...keyed])} exists`;
    case 1:
      return `${textField(r)} ${r.pick(["=", "!=", "=="])} ${r.pick(words)}`;
    case 2:
      return `${textField(r)} in ${several(r, words)}`;
    case 3:
      return `${r.pick(lists)} ${r.pick(["in", "intersects"])} ${several(r, words)}`;
    case 4:
      return `${textField(r)} ${r.pick(["contains", "icontains", "startswith", "endswith"])} ${r.pick(words)}`;
    case 5:
      return `${textField(r)} ${r.pick(["glob", "iglob"])} ${r.pick(globs)}`;
    case 6:
      return `${textField(r)} regex ${r.pick(patterns)}`;
    case 7:
      return `${textField(r)} pmatch ${several(r, paths)}`;
    case 8:
      return `${r.pick(numbers)} ${r.pick(["=", "!=", "<", "<=", ">", ">="])} ${r.below(9)}`;
    case 9:
      return `${r.pick(numbers)} in ${several(r, ["1", "2", "3", "5", "1714979281"])}`;
    case 10:
      return `${textField(r)} ${r.pick(["=", "!=", "startswith", "contains", "glob"])} ${r.pick(["oneof", "anyof", "allof"])} ${several(r, words)}`;
    case 11:
      return `${textField(r)} ${r.pick(["=", "!=", "in", "contains", "startswith"])} val(${r.pick(texts)})`;
    case 12:
      return `${r.pick(texts)} ${r.pick(["<", "<=", ">", ">="])} ${r.below(500)}`;
    default:
      return `ka.verb ${r.pick(["= create", "in (get, create)", "= get", "= list"])}`;
  }
};

export const randomCondition = (r: Random, depth = 3): string => {
  if (depth === 0 || r.below(3) === 0) return randomCheck(r);
  switch (r.below(4)) {
    case 0:
      return `not (${randomCondition(r, depth - 1)})`;
    case 1:
      return `(${randomCondition(r, depth - 1)} or ${randomCondition(r, depth - 1)})`;
    default:
      return `(${randomCondition(r, depth - 1)} and ${randomCondition(r, depth - 1)})`;
  }
};

/** Cuts, doubles, swaps or replaces some of a text. */
export const mutate = (r: Random, text: string, others: readonly string[]): string => {
  let made = text;
  for (let n = 1 + r.below(4); n > 0; n--) {
    const at = r.below(made.length + 1);
    const end = Math.min(made.length, at + r.below(30));
    switch (r.below(7)) {
      case 0:
        made = made.slice(0, at) + made.slice(end);
        break;
      case 1:
        made = made.slice(0, end) + made.slice(at);
        break;
      case 2:
        made = made.slice(0, at) + r.pick(scraps) + made.slice(at);
        break;
      case 3: {
        const other = r.pick(others);
        const from = r.below(other.length);
        made = made.slice(0, at) + other.slice(from, from + r.below(80)) + made.slice(end);
        break;
      }
      case 4:
        made = made.slice(0, at) + String.fromCharCode(r.below(0x3000)) + made.slice(at + 1);
        break;
      case 5:
        made = made.replace(r.pick(words), r.pick(scraps));
        break;
      default:
        made = made.slice(0, at) + r.pick(scraps).repeat(1 + r.below(40)) + made.slice(end);
    }
  }
  return made;
};

const scraps = [
  "(",
  ")",
  "[",
  "]",
  '"',
  "'",
  "\\",
  " and ",
  " or ",
  "not ",
  "%",
  ",",
  ":",
  "- ",
  "\n",
  "  ",
  "&a ",
  "*a",
  "{",
  "}",
  "|",
  ">",
  "#",
  "in (",
  "tolower(",
  "\0",
  "\t",
  "---\n",
  "!!str ",
  "= ",
  "<<: ",
  "\ud800",
  "exists",
  "val(",
];
