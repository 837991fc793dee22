import { existsSync, readdirSync } from "node:fs";
import { goJson } from "../../src/sdk/alert.ts";
import { body, cut, type Deliberate, input, texts } from "./deliberate-shape.ts";
import { withNumbers } from "./golden-numbers.ts";
import { type GoldenCase, type GoldenRequest, goldenCases } from "./golden-replay.ts";

const table: readonly Deliberate[] = [
  {
    outputs: ["slack", "rocketchat", "mattermost", "teams", "opsgenie"],
    cases: /^/,
    reason: "numbers, booleans and lists are shown too",
    page: "numbers-kept-in-chat.md",
    becomes: (shape, golden) => withNumbers(shape, golden),
    without: { allfields: false },
  },
  {
    outputs: ["slack", "rocketchat", "mattermost", "discord"],
    cases: /branding-empty/,
    reason: "a text that is set to nothing means none",
    page: "empty-text-means-none.md",
    becomes: (shape) =>
      body(shape, ({ icon_url: _icon, avatar_url: _avatar, ...value }) => ({
        ...value,
        ...(Array.isArray(value.attachments) && {
          attachments: value.attachments.map(({ footer: _, ...attachment }) => attachment),
        }),
      })),
  },
  {
    outputs: "all",
    cases: /long-field/,
    reason: "a long field is cut between characters, never within one",
    page: "limits-per-destination.md",
    becomes: (shape) => body(shape, (value) => texts(value, (text) => text.replaceAll("\ufffd[...]", "[...]"))),
  },
  {
    outputs: ["webhook", "elasticsearch", "nats", "aws.lambda"],
    cases: /long-field/,
    reason: "destinations that store the raw event get it whole",
    page: "limits-per-destination.md",
    becomes: (shape, golden) =>
      body(shape, (value) => ({
        ...value,
        output: input(golden).output,
        output_fields: input(golden).output_fields,
      })),
  },
  {
    outputs: ["aws.sqs"],
    cases: /long-field/,
    reason: "destinations that store the raw event get it whole",
    page: "limits-per-destination.md",
    becomes: (shape, golden) =>
      body(shape, (value) => {
        const { output, output_fields } = input(golden);
        const sorted = Object.fromEntries(Object.entries(output_fields).toSorted(([a], [b]) => (a < b ? -1 : 1)));
        const sent = JSON.parse(String(value.MessageBody)) as object;
        const whole = goJson({ ...sent, output, output_fields: sorted });
        return { ...value, MessageBody: whole.replace("\\u003cUUID\\u003e", "<UUID>") };
      }),
  },
  {
    outputs: ["elasticsearch"],
    cases: /^(?!.*(STARTUP|batch))/,
    reason: "documents go through _bulk, under the alert's own id",
    page: "elasticsearch-always-bulk.md",
    becomes: (shape) => {
      const [index, type] = shape.path.slice(1).split("/");
      const action = { _index: index, ...(type && type !== "_doc" && { _type: type }), _id: "<UUID>" };
      return { ...shape, path: "/_bulk", body: [{ create: action }, shape.body] };
    },
  },
  {
    outputs: ["elasticsearch"],
    cases: /batch/,
    reason: "documents have the alert's own id",
    page: "elasticsearch-always-bulk.md",
    becomes: (shape) =>
      body(shape, (lines) => {
        const [action, document] = lines as unknown as [{ create: object }, unknown];
        return [{ create: { ...action.create, _id: "<UUID>" } }, document];
      }),
  },
  {
    outputs: ["elasticsearch"],
    cases: /mapping-error/,
    reason: "the document that goes again without the refused field keeps its @timestamp",
    page: "elasticsearch-always-bulk.md",
    becomes: (shape) =>
      body(shape, (lines) => {
        const [action, document] = lines as unknown as [unknown, { time: string }];
        return [action, { ...document, "@timestamp": document.time }];
      }),
  },
  {
    outputs: ["elasticsearch"],
    cases: /template-.*STARTUP/,
    reason: "numberofreplicas: 0 is obeyed",
    page: "elasticsearch-index-template.md",
    becomes: (shape, golden) =>
      shape.method !== "PUT" || !golden.config.includes("numberofreplicas: 0")
        ? shape
        : body(shape, (value) => {
            const { template, ...rest } = value as unknown as { template: { settings: object } };
            return { ...rest, template: { ...template, settings: { ...template.settings, number_of_replicas: 0 } } };
          }),
  },
  {
    outputs: ["rocketchat"],
    cases: /fmt-text|msgformat-text/,
    reason: "outputformat text shows the alert's text instead of nothing",
    page: "rocketchat-text.md",
    becomes: (shape, golden) =>
      body(shape, (value) => {
        const { output } = input(golden);
        const color = /critical/.test(golden.name) ? "#ff5400" : "#ffc700";
        return { ...value, attachments: [{ fallback: output, color, text: output }] };
      }),
  },
  {
    outputs: ["teams"],
    cases: /long-output/,
    reason: "Teams refuses messages above 28 KB",
    page: "limits-per-destination.md",
    becomes: (shape) => body(shape, (value) => texts(value, (text) => cut(text, 8000))),
  },
  {
    outputs: ["datadog"],
    cases: /long-output/,
    reason: "Datadog takes 4000 characters of text",
    page: "limits-per-destination.md",
    becomes: (shape) => body(shape, (value) => texts(value, (text) => cut(text, 4000))),
  },
  {
    outputs: ["datadog"],
    cases: /^/,
    reason: "the API key travels in a header, where no proxy logs it",
    page: "datadog-key-in-header.md",
    becomes: (shape) => ({
      ...shape,
      path: shape.path.replace("//", "/"),
      query: "",
      headers: { ...shape.headers, "dd-api-key": "ddkey" },
    }),
  },
  {
    outputs: ["opsgenie"],
    cases: /^/,
    reason: "the alias makes a repeated delivery the same alert",
    page: "opsgenie-alias-and-length.md",
    becomes: (shape) => body(shape, (value) => ({ ...value, alias: "<UUID>" })),
  },
  {
    outputs: ["opsgenie"],
    cases: /^/,
    reason: "Opsgenie refuses messages above 130 characters: the whole text moves to the description",
    page: "opsgenie-alias-and-length.md",
    becomes: (shape) =>
      body(shape, (value) => {
        const { message, description } = value as unknown as { message: string; description: string };
        if (message.length <= 130) return value;
        return { ...value, message: cut(message, 130), description: cut(`${description}\n${message}`, 15_000) };
      }),
  },
  {
    outputs: ["alertmanager"],
    cases: /severitymap-yaml.*debug/,
    reason: "customseveritymap is read from YAML too",
    page: "alertmanager.md",
    becomes: (shape) => body(shape, (value) => withLabels(value, { severity: "low" })),
  },
  {
    outputs: ["influxdb"],
    cases: /^/,
    reason: "line protocol is escaped, and a tag without value is left out",
    page: "influxdb-line-protocol.md",
    becomes: (shape, golden) =>
      body(shape, (value) =>
        /html-md-meta|k8s-audit|mixed-types|newlines/.test(golden.name) ? escaped(value, golden) : value,
      ),
  },
  {
    outputs: ["webhook", "loki"],
    cases: /globals-env/,
    reason: "a custom field's value may hold colons in the environment",
    page: "pairs-split-at-first-colon.md",
    becomes: (shape, golden) =>
      body(shape, (value) => {
        if (golden.output === "webhook")
          return { ...value, output_fields: { ...(value.output_fields as object), x: "y:z" } };
        const [stream] = value.streams as unknown as [{ stream: object }];
        return { streams: [{ ...stream, stream: { ...stream.stream, x: "y:z" } }] };
      }),
  },
  {
    outputs: ["webhook"],
    cases: /globals-overwrite/,
    reason: "the name of a custom field may hold dots in YAML",
    page: "custom-fields-with-dots.md",
    becomes: (shape) =>
      body(shape, (value) => ({ ...value, output_fields: { ...(value.output_fields as object), "proc.name": "CF" } })),
  },
  {
    outputs: ["loki"],
    cases: /headers-env/,
    reason: "a header's value may hold colons in the environment too",
    page: "pairs-split-at-first-colon.md",
    becomes: (shape) => ({ ...shape, headers: { ...shape.headers, "x-b": "b:c" } }),
  },
  {
    outputs: ["smtp"],
    cases: /long/,
    reason: "a subject ends after 900 characters, before the longest line of a mail does",
    page: "smtp-mails.md",
    becomes: (shape) => ({ ...shape, headers: { ...shape.headers, subject: cut(shape.headers.subject ?? "", 900) } }),
  },
  {
    outputs: ["smtp"],
    cases: /noauthset/,
    reason: "plain without a user does not log in as nobody",
    page: "smtp-mails.md",
    becomes: (shape) => ({ ...shape, headers: { ...shape.headers, auth: "" } }),
  },
  {
    outputs: ["smtp"],
    cases: /bad-mech/,
    reason: "login is a mechanism too",
    page: "smtp-mails.md",
    becomes: (shape) => shape,
    adds: () =>
      goldenCases("smtp")
        .find(({ name }) => name.includes("noauthset"))
        ?.requests.map(withoutLogin) ?? [],
  },
];

const folder = new URL("../deliberate/", import.meta.url);
const own = await Promise.all(
  (existsSync(folder) ? readdirSync(folder) : []).map(
    async (file) => ((await import(new URL(file, folder).href)) as { default: readonly Deliberate[] }).default,
  ),
);

/** The table, and the files of outputs that have their differences for themselves: `test/deliberate/<output>.ts`. */
export const deliberate: readonly Deliberate[] = [...table, ...own.flat()];

const withoutLogin = (request: GoldenRequest): GoldenRequest => ({
  ...request,
  headers: { ...request.headers, auth: "" },
});

const withLabels = (value: unknown, labels: object): unknown =>
  (value as { labels: object }[]).map((alert) => ({ ...alert, labels: { ...alert.labels, ...labels } }));

/** The line falcosidekick should have written, from the alert itself. */
const escaped = (value: unknown, golden: GoldenCase): unknown => {
  const alert = JSON.parse(golden.input ?? "{}") as {
    output: string;
    rule: string;
    tags: string[];
    output_fields: Record<string, unknown>;
  };
  const bare = (text: string) => text.replaceAll(/[ \n]/g, "_").replaceAll(/[,=]/g, "\\$&");
  const tags = [
    "events",
    ...Object.entries({
      rule: alert.rule,
      ...alert.output_fields,
      tags: alert.tags.toSorted().join("_"),
    }).flatMap(([name, text]) => (typeof text === "string" && text !== "" ? [`${bare(name)}=${bare(text)}`] : [])),
    ...(value as { tags: string[] }).tags.filter((tag) => /^(priority|source|hostname)=/.test(tag)),
  ];
  return { tags: tags.toSorted(), value: ` value="${alert.output.replaceAll(/["\\]/g, "\\$&")}"` };
};
