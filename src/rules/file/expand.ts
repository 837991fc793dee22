import { listOperators } from "../syntax/grammar.ts";
import type { Entry, ExceptionItem, ListItem } from "./items.ts";
import { RulesError } from "./problem.ts";

/** A list ready to be put into conditions, with what it took from lists defined before it. */
export interface ReadyList {
  readonly name: string;
  readonly items: readonly string[];
}

/** An item that names a list defined before the outer list was last touched is replaced by that list's items, one level deep. */
export const readyLists = (lists: ReadonlyMap<string, ListItem>, used: (name: string) => void): readonly ReadyList[] =>
  Array.from(lists.values(), (list) => ({
    name: list.name,
    items: list.items.flatMap((item) => {
      const other = lists.get(item);
      if (other === undefined || other.index >= list.visibility) return [item];
      used(other.name);
      return other.items;
    }),
  }));

const isBlank = (c: string | undefined): boolean => c === " " || c === "\t" || c === "\n" || c === "\r";
const isDelimiter = (c: string | undefined): boolean =>
  c === undefined || isBlank(c) || c === "(" || c === ")" || c === "," || c === "=";

const quoted = (item: string): string =>
  item.includes(" ") && item[0] !== '"' && item[0] !== "'" ? `"${item}"` : item;

/** Text that a condition may grow to through its lists; beyond, it is refused rather than built. */
const longest = 1 << 20;

/**
 * Puts lists into a condition as Falco does: as text, before anything is parsed. Every occurrence of a list's name between
 * delimiters becomes its items, wherever it stands, quotes included.
 */
export const putLists = (condition: string, lists: readonly ReadyList[], used: (name: string) => void): string => {
  let text = condition;
  for (const list of lists) {
    const next = putList(text, list);
    if (next !== undefined) {
      used(list.name);
      text = next;
    }
  }
  return text;
};

const putList = (condition: string, list: ReadyList): string | undefined => {
  if (list.name === "" || !condition.includes(list.name)) return undefined;
  const insert = list.items.map(quoted).reduce((all, item) => (all === "" ? item : `${all}, ${item}`), "");
  const made = createText();
  let done = 0;
  for (let at = condition.indexOf(list.name); at >= 0; ) {
    let end = at + list.name.length;
    // Behind an insertion stands a blank.
    const delimited = at === done && !made.isEmpty() ? true : isDelimiter(condition[at - 1]);
    if (!delimited || !isDelimiter(condition[end])) {
      at = condition.indexOf(list.name, at + 1);
      continue;
    }
    let start = at;
    while (start > done && isBlank(condition[start - 1])) start--;
    made.add(condition.slice(done, start));
    if (start === done) made.dropBlanks();
    while (end < condition.length && isBlank(condition[end])) end++;
    if (insert === "" && !made.dropComma() && condition[end] === ",") end++;
    const first = made.isEmpty();
    made.add(first ? `${insert} ` : ` ${insert} `);
    done = end;
    // Falco looks one character too far behind an insertion at the very beginning.
    at = condition.indexOf(list.name, first ? end + 1 : end);
  }
  return made.isEmpty() ? undefined : made.text(condition.slice(done));
};

/** Text that grows at its end and can lose what it ends in. */
const createText = () => {
  const chunks: string[] = [];
  let length = 0;
  const last = (): string | undefined => chunks.at(-1)?.at(-1);
  const dropLast = (): void => {
    const shorter = chunks.pop()?.slice(0, -1) ?? "";
    if (shorter !== "") chunks.push(shorter);
    length--;
  };
  return {
    isEmpty: () => length === 0,
    add: (chunk: string): void => {
      if (chunk === "") return;
      chunks.push(chunk);
      length += chunk.length;
      if (length > longest) throw new RangeError("condition too long");
    },
    dropBlanks: (): void => {
      while (isBlank(last())) dropLast();
    },
    dropComma: (): boolean => {
      const found = last() === ",";
      if (found) dropLast();
      return found;
    },
    text: (rest: string): string => chunks.join("") + rest,
  };
};

/** A rule's condition with its exceptions as text behind it. */
export const withExceptions = (condition: string, exceptions: readonly ExceptionItem[]): string =>
  exceptions.length === 0
    ? condition
    : exceptions.reduce((text, exception) => {
        const more = exceptionText(exception);
        return more === "" ? text : `${text} and not ${more}`;
      }, `(${condition})`);

const scalar = (entry: Entry | undefined): string => (typeof entry === "string" ? entry : "");

const exceptionText = (exception: ExceptionItem): string => {
  const { fields, comps, values } = exception;
  if (values.length === 0) return "";
  if (typeof fields === "string") {
    if (values.some((value) => typeof value !== "string"))
      throw new RulesError(
        "LOAD_ERR_VALIDATE",
        "Expected values array to contain a list of strings",
        exception.context,
      );
    return `(${fields} ${scalar(comps)} (${values.map((value) => quoted(scalar(value))).join(", ")}))`;
  }
  const names = fields ?? [];
  const operators = typeof comps === "string" || comps === undefined ? [] : comps;
  const rows = values.map((row) => {
    const cells = typeof row === "string" ? [] : row;
    if (cells.length !== names.length)
      throw new RulesError("LOAD_ERR_VALIDATE", "Fields and values lists must have equal length", exception.context);
    return `(${names.map((name, k) => rowText(scalar(name), scalar(operators[k]), cells[k])).join(" and ")})`;
  });
  return `(${rows.join(" or ")})`;
};

const rowText = (field: string, operator: string, cell: Entry | undefined): string => {
  if (typeof cell === "object") return ` ${field} ${operator} (${cell.map((v) => quoted(scalar(v))).join(", ")})`;
  const text = cell ?? "";
  const takesList = listOperators.includes(operator) || /\s(?:oneof|anyof|allof)$/.test(operator);
  if (takesList) return ` ${field} ${operator} ${text.startsWith("(") ? text : `(${text})`}`;
  return ` ${field} ${operator} ${quoted(text)}`;
};
