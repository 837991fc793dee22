import assert from "node:assert/strict";
import { describe, it } from "node:test";
import discord from "../../outputs/discord.ts";
import { outputs } from "../../outputs/index.ts";
import slack from "../../outputs/slack.ts";
import type { Alert } from "../../src/sdk/alert.ts";
import { inDatadog, inHtml, inMarkdown, inSlack } from "../../src/sdk/markup.ts";
import type { Output } from "../../src/sdk/output.ts";
import { sampleAlert } from "../support/hostile-alerts.ts";
import { hostileTexts } from "../support/hostile-texts.ts";
import { send } from "../support/output-sends.ts";

/** An alert that says nothing else. */
const saying = (text: string): Alert =>
  sampleAlert({
    rule: text,
    output: text,
    hostname: text,
    source: text,
    tags: [text, `x ${text}`],
    output_fields: { [text]: text, list: [text], plain: text },
  });

const exampleAt = (output: Output, url: string, more: object): Readonly<Record<string, unknown>> => ({
  ...(JSON.parse(JSON.stringify(output.example).replaceAll(/https?:\/\/127\.0\.0\.1:\d+/g, url)) as object),
  ...more,
});

const textsIn = (value: unknown): string[] => {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)])
    : [];
};

const sentBy = async (output: Output, alert: Alert, more: object = {}): Promise<readonly string[]> => {
  const { fault, received } = await send(
    output,
    (url) => exampleAt(output, url, more),
    [alert],
    () => ({ status: 200 }),
  );
  assert.equal(fault, undefined);
  return textsIn(JSON.parse(received[0]!.body));
};

/** What no destination that people read may be told by an alert. */
const live: readonly [name: string, pattern: RegExp][] = [
  ["a mention or link in angle brackets", /<(?:[!@#:]|\/?[a-z][a-z0-9+.-]*:)/i],
  ["a mention by name", /(?<![A-Za-z0-9_])@(?:channel|all|here|everyone)/],
  ["a link behind other words", /\]\(/],
  ["an address of a link", /^\s*\[[^\]]*\]:/m],
  ["a block of code", /```/],
  ["a heading or quotation", /^[ \t]*[#>]/m],
  ["text turned around", /[\u202a-\u202e\u2066-\u2069]/],
];
/** A value between backticks of the hub's own is judged by what is within. */
const within = (text: string): string =>
  (text.startsWith("```") && text.endsWith("```") ? text.slice(3, -3) : text).replace(webexTitle, "$<rule>");
/** The two headings with which every message to Webex begins. */
const webexTitle = /^# (?<rule>Falco Rule '.*?'\n\n)### /s;

/** Outputs whose message is one text, and how what stands in it reads. */
const oneText: Readonly<Record<string, (text: string) => string>> = {
  gotify: (text) => text,
  telegram: (text) => text.replaceAll(/\\(.)/gs, "$1"),
  webex: (text) => text,
};

const templates = {
  messageformat:
    "{{ .Rule }} {{ .Output }} {{ .Tags }} {{ .Hostname }} {{ range $k, $v := .OutputFields }}{{ $k }}: {{ $v }} {{ end }}",
};

for (const output of outputs.filter(({ category }) => category === "chat"))
  describe(`${output.name} makes text of what an alert says`, () => {
    const settings = { ...("messageformat" in output.fields && templates) };
    for (const [name, text] of Object.entries(hostileTexts))
      it(name, async () => {
        for (const more of [{}, { cardtype: "adaptivecard" }, { outputformat: "text" }, { cardsv2: true }]) {
          const fitting = Object.fromEntries(Object.entries(more).filter(([key]) => key in output.fields));
          const all = { ...settings, ...fitting };
          // Colours, addresses and names are the hub's, whatever the alert.
          const own = new Set(await sentBy(output, saying("nothing"), all));
          for (const sent of (await sentBy(output, saying(text), all)).filter((said) => !own.has(said)))
            for (const [what, pattern] of live) assert.doesNotMatch(within(sent), pattern, what);
        }
      });

    it("and leaves plain text as it is", async () => {
      const plain = "User root@example.com ran <NA> (a[0]=b, c_d*e) `ls -la` | 5 < 6 && x > 7 #1 {a: b}";
      const shown = (await sentBy(output, saying(plain), settings)).map(within);
      const reads = oneText[output.name];
      if (reads) {
        assert.ok(
          shown.some((text) => reads(text).includes(plain)),
          shown.join("\n"),
        );
        return;
      }
      const entities = plain.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
      assert.ok(shown.includes(output.name === "slack" ? entities : plain), shown.join("\n"));
    });
  });

describe("markup", () => {
  it("of the template itself keeps its meaning", async () => {
    const messageformat =
      "<!here> {{ .Rule }} <https://runbook|{{ .Rule }}> {{ if .Rule }}@channel{{ end }} {{ printf `<!channel>` }}";
    const texts = await sentBy(slack, saying("<!everyone> & more"), { messageformat });
    const rule = "&lt;!everyone&gt; &amp; more";
    assert.ok(texts.includes(`<!here> ${rule} <https://runbook|${rule}> @channel <!channel>`), texts[0]);
  });

  it("of Discord mentions nobody, whatever stands in a message", async () => {
    const { received } = await send(
      discord,
      (url) => exampleAt(discord, url, {}),
      [sampleAlert()],
      () => ({ status: 200 }),
    );
    assert.deepEqual((JSON.parse(received[0]!.body) as { allowed_mentions: object }).allowed_mentions, { parse: [] });
  });

  for (const [name, text] of Object.entries(hostileTexts))
    it(`for pages and events, too: ${name}`, () => {
      assert.doesNotMatch(inHtml(text), /<[a-z!?/]/i);
      assert.doesNotMatch(inDatadog(text), /%%%|(?<!\w)@(all|here|channel)/);
      // What is inert stays as it is.
      for (const inert of [inHtml, inMarkdown, inDatadog]) assert.equal(inert(inert(text)), inert(text));
    });

  it("is shown by Slack as it was written", () => {
    const shown = (text: string) =>
      text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&").replaceAll("\u200b", "");
    for (const text of Object.values(hostileTexts))
      assert.equal(shown(inSlack(text)), text.replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, "\ufffd"));
  });
});
