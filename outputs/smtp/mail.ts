import type { Alert } from "../../src/sdk/alert.ts";
import { printedValue } from "../../src/sdk/field-text.ts";
import { leftToRight } from "../../src/sdk/markup.ts";
import { cardColours, fit, fitBytes, readable } from "../../src/sdk/message.ts";
import { goTime } from "../../src/sdk/rfc3339.ts";

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Bytes of one value and of the whole text at most: mail servers refuse what no one reads. */
const longestValue = 65_536;
const longestSubject = 900;

/** The mail of an alert: every property and every field, as plain text and as two tables. */
export const mailOf = (alert: Alert): Mail => {
  const { priority, rule, source, hostname, tags, time } = alert;
  const { output, fields: short } = readable(alert, { scalars: true });
  const facts = Object.entries({
    Output: output,
    Rule: rule,
    Source: source,
    Hostname: hostname ?? "",
    Tags: tags.map((tag) => `${tag} `).join(""),
    Time: goTime(time),
  }).map(([name, value]) => [name, fitBytes(leftToRight(value.toWellFormed()), longestValue)] as const);
  const shown = new Map(short);
  const fields = Object.entries(alert.output_fields).map(([name, value]) => {
    const title = name.toWellFormed();
    const text = shown.get(title) ?? printedValue(value).toWellFormed();
    return [leftToRight(title), fitBytes(leftToRight(text), longestValue)] as const;
  });
  const cells = fields.map(([name, value]) => [name, value === nothing ? "" : value] as const);
  const lines = (rows: readonly (readonly [string, string])[]) => rows.map(([name, value]) => `${name}: ${value}`);
  return {
    subject: fit(
      leftToRight(`[${priority}] ${output}`).replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " "),
      longestSubject,
    ),
    text: [...lines([["Priority", priority], ...facts]), "", "--Fields--", ...lines(fields), ""].join("\n"),
    html: `<div style="font-family:arial,helvetica,sans-serif;font-size:13px"><p style="background:#${cardColours[priority]};padding:4px;text-align:center"><strong>${priority}</strong></p>${table(facts)}<p><strong>Fields</strong></p>${table(cells)}</div>`,
  };
};

const nothing = printedValue(null);

const table = (rows: readonly (readonly [string, string])[]): string =>
  `<table cellpadding="4" style="font-size:13px">${rows.map(([name, value]) => `<tr><th align="left">${escaped(name)}</th><td>${escaped(value)}</td></tr>`).join("")}</table>`;

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
