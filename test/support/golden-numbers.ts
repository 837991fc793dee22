import { parseJson } from "../../src/json/parse.ts";
import { isRawNumber, numberText } from "../../src/sdk/alert.ts";
import { compareBytewise } from "../../src/sdk/bytewise.ts";
import type { GoldenCase, Shape } from "./golden-replay.ts";

/** What falcosidekick sent, with the number, boolean and list fields of the alert where their names belong in the sorted order. */
export const withNumbers = (shape: Shape, golden: GoldenCase): Shape => {
  const numbers = numbersOf(golden);
  const body = shape.body as {
    readonly attachments?: readonly [{ readonly fields?: readonly Row[] | null }];
    readonly embeds?: readonly [{ readonly fields: readonly Row[] }];
    readonly sections?: readonly [{ readonly facts?: readonly Row[] }];
    readonly details?: Readonly<Record<string, string>>;
    readonly slides?: readonly { readonly type: string; readonly data: { readonly rows: readonly Row[] } }[];
    readonly cards?: readonly [{ readonly sections: readonly [{ readonly widgets: readonly Row[] }] }];
  };
  const attachment = body.attachments?.[0];
  if (attachment?.fields) {
    const rows = numbers.map(([title, value]) => ({ title, value, short: true }));
    return { ...shape, body: { ...body, attachments: [{ ...attachment, fields: inserted(attachment.fields, rows) }] } };
  }
  const embed = body.embeds?.[0];
  if (embed) {
    const rows = numbers.map(([name, value]) => ({ name, value: `\`\`\`${value}\`\`\``, inline: true }));
    return { ...shape, body: { ...body, embeds: [{ ...embed, fields: inserted(embed.fields, rows) }] } };
  }
  const section = body.sections?.[0];
  if (section?.facts) {
    const rows = numbers.map(([name, value]) => ({ name, value }));
    return { ...shape, body: { ...body, sections: [{ ...section, facts: inserted(section.facts, rows) }] } };
  }
  if (body.slides) {
    const rows = numbers.map(([field, value]) => ({ field, value }));
    const slides = body.slides.map((slide) =>
      slide.type === "table" ? { ...slide, data: { ...slide.data, rows: inserted(slide.data.rows, rows) } } : slide,
    );
    return { ...shape, body: { ...body, slides } };
  }
  const card = body.cards?.[0];
  if (card) {
    const rows = numbers.map(([topLabel, content]) => ({ keyValue: { topLabel, content } }));
    const widgets = inserted(card.sections[0].widgets, rows);
    return { ...shape, body: { ...body, cards: [{ ...card, sections: [{ widgets }] }] } };
  }
  if (!body.details) return shape;
  const details = Object.fromEntries(numbers.map(([name, value]) => [name.replaceAll(".", "_"), value]));
  return { ...shape, body: { ...body, details: { ...details, ...body.details } } };
};

interface Row {
  readonly title?: string;
  readonly name?: string;
  readonly field?: string;
  readonly keyValue?: { readonly topLabel: string };
}

const nameOf = (row: Row | undefined): string => row?.title ?? row?.name ?? row?.field ?? row?.keyValue?.topLabel ?? "";
/** Rows of the alert itself, before and behind those of its fields. */
const fixed = new Set(["rule", "priority", "source", "hostname", "tags", "time"]);

const inserted = (rows: readonly Row[], numbers: readonly Row[]): readonly Row[] => {
  let from = 0;
  while (from < rows.length && fixed.has(nameOf(rows[from]))) from += 1;
  let to = rows.length;
  while (to > from && fixed.has(nameOf(rows[to - 1]))) to -= 1;
  if (from === rows.length) {
    // No text field: what stands behind the fields begins with `time`, or else with `tags`.
    const behind = rows.findIndex((row) => nameOf(row) === "time");
    from = behind >= 0 ? behind : rows.findIndex((row) => nameOf(row) === "tags");
    from = from < 0 ? rows.length : from;
    to = from;
  }
  const fields = [...rows.slice(from, to)];
  for (const number of numbers) {
    const at = fields.findIndex((row) => compareBytewise(nameOf(row), nameOf(number)) > 0);
    fields.splice(at < 0 ? fields.length : at, 0, number);
  }
  return [...rows.slice(0, from), ...fields, ...rows.slice(to)];
};

/** The items of a list as text; those of the recorded alerts are no lists themselves. */
export const listed = (items: readonly unknown[]): string[] =>
  items.map((item) => (isRawNumber(item) ? item.rawJSON : String(item)));

const numbersOf = (golden: GoldenCase): readonly (readonly [string, string])[] => {
  const { output_fields } = parseJson(golden.input ?? "{}") as { output_fields?: Readonly<Record<string, unknown>> };
  const bracket = /^bracketreplacer: (\S+)$/m.exec(golden.config)?.[1];
  return Object.entries(output_fields ?? {}).flatMap(([name, value]): [string, string][] => {
    const shown = bracket ? name.replaceAll("]", "").replaceAll("[", bracket) : name;
    if (typeof value === "boolean") return [[shown, String(value)]];
    if (Array.isArray(value)) return value.length === 0 ? [] : [[shown, listed(value).join(", ")]];
    const isNumber = typeof value === "number" || (typeof value === "object" && value !== null && "rawJSON" in value);
    return isNumber ? [[shown, numberText(value as number)]] : [];
  });
};
