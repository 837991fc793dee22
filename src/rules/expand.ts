import { listOperators } from "./grammar.ts";
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
  if (list.name === "") return undefined;
  let start = condition.indexOf(list.name);
  if (start < 0) return undefined;
  const items = list.items.filter((item, i) => i > 0 || item !== "").map(quoted);
  const insert = items.reduce((all, item) => (all === "" ? item : `${all}, ${item}`), "");
  let text = condition;
  let found = false;
  while (start >= 0) {
    let end = start + list.name.length;
    if (isDelimiter(text[start - 1]) && isDelimiter(text[end])) {
      while (start > 0 && isBlank(text[start - 1])) start--;
      while (end < text.length && isBlank(text[end])) end++;
      if (insert === "") {
        if (start > 0 && text[start - 1] === ",") start--;
        else if (text[end] === ",") end++;
      }
      text = `${start > 0 ? `${text.slice(0, start)} ` : ""}${insert} ${text.slice(end)}`;
      if (text.length > longest) throw new RangeError("condition too long");
      start += insert.length + 1;
      found = true;
    }
    start = text.indexOf(list.name, start + 1);
  }
  return found ? text : undefined;
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
