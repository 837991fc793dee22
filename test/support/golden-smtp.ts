import { type Authority, makeAuthority } from "../fakes/certificates.ts";
import { openSmtp, type TakenMail } from "../fakes/smtp.ts";
import { decodeInput, loadInstance } from "./golden-hub.ts";
import type { GoldenCase, GoldenRequest } from "./golden-replay.ts";
import { readMail } from "./mail-text.ts";
import { openSender, testHost } from "./senders.ts";

let made: Authority | undefined;

/** What the hub mails for a case, as the golden data has it: envelope for path and query, texts for the body. */
export const replaySmtp = async (golden: GoldenCase, now: number): Promise<readonly GoldenRequest[]> => {
  const secure = golden.config.includes("tls: true");
  if (secure) made ??= makeAuthority();
  const server = await openSmtp(made && secure ? { certified: made.server() } : {});
  try {
    const yaml = golden.config.replaceAll(/\$\{SMTP_PORT\}/g, String(server.port));
    const { output, config, hub, takes } = await loadInstance(golden.output, yaml, golden.env);
    const alert = decodeInput(golden.input ?? "", hub);
    const host = testHost(
      () => Promise.reject(new Error("not over HTTP")),
      () => now,
    );
    const tls = { ...(made && { ca: made.ca }), rejectUnauthorized: true };
    const sender = await openSender(output, config, { ...host, tls });
    if (takes(alert)) await sender.send([alert], AbortSignal.timeout(10_000));
    await sender.close?.();
    return server.mails.map((mail) => requestOf(mail, server.port));
  } finally {
    await server.close();
  }
};

const requestOf = (mail: TakenMail, port: number): GoldenRequest => {
  const { headers, text, html } = readMail(mail.data);
  const { subject = "", from = "", to = "", date = "" } = headers;
  const shown = html && { colour: /background:(#[0-9a-f]{6})/.exec(html)?.[1] ?? "", nodes: nodesOf(html) };
  return {
    method: "MAIL",
    path: mail.from,
    query: mail.to.join(","),
    headers: {
      tls: String(mail.tls),
      auth: mail.auth.map((line) => withoutPort(line, port)).join("; "),
      subject,
      from,
      to,
      date: new Date(date).toISOString(),
      colour: shown ? shown.colour : "",
    },
    body: JSON.stringify({ text, html: shown ? shown.nodes : null }),
  };
};

const withoutPort = (line: string, port: number): string =>
  line.replace(/(?<=^AUTH \S+ )\S+$/, (text) => {
    const said = Buffer.from(text, "base64").toString();
    return said.includes(`port=${port}`)
      ? Buffer.from(said.replace(`port=${port}`, "port=<PORT>")).toString("base64")
      : text;
  });

/** The texts between the tags, in order. */
const nodesOf = (html: string): readonly string[] =>
  html
    .split(/<[^>]*>/)
    .map((text) => text.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))).trim())
    .filter((text) => text !== "");
