import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { type Alert, rawEvent } from "../../src/sdk/alert.ts";
import { choice, text } from "../../src/sdk/fields.ts";
import { lineOf } from "../../src/sdk/line.ts";
import { defineOutput } from "../../src/sdk/output.ts";
import { cefOf, severityOf } from "./cef.ts";
import { sendLocal } from "./local.ts";
import { sendDatagrams, sendLines } from "./server.ts";

const protocols = ["udp", "tcp", "tls"];
const localSocket = "/dev/log";

export default defineOutput({
  name: "syslog",
  display: "Syslog",
  category: "logs",
  about: "A syslog server over UDP, TCP or TLS, or the host's own syslog.",
  fields: {
    host: text("Name or address of the server."),
    port: text("Its port."),
    protocol: text("udp, tcp (one line each) or tls; empty: udp."),
    format: choice("json, cef (ArcSight), or output for the output text alone.", ["json", "cef", "output"], "json"),
    socket: text("Socket of the host's own syslog, such as /dev/log, in place of a server; needs the program logger."),
  },
  example: { host: "127.0.0.1", port: "514", protocol: "udp" },
  batch: { items: 500 },
  concurrency: 4,
  direct: ({ host, port }) => (host === "" ? [] : [`${host}:${port}`]),
  enabled: ({ host, socket }) => host !== "" || socket !== "",
  check: ({ host, port, protocol, socket }) => [
    ...(host !== "" && socket !== "" ? ["socket: excludes host"] : []),
    ...(host === "" || isPort(port) ? [] : [`port: ${port === "" ? "is missing" : "is not a port"}`]),
    ...(protocol === "" || protocols.includes(protocol.toLowerCase())
      ? []
      : [`protocol: must be one of ${protocols.join(", ")}`]),
  ],
  fromFalco: ({ name, json }) => {
    if (name !== "syslog_output") return undefined;
    if (!existsSync(localSocket)) return `is off: there is no ${localSocket} here; set syslog.host and syslog.port`;
    return { socket: localSocket, format: json ? "json" : "output" };
  },
  open: ({ host, port, protocol, format, socket }, { now, tls }) => {
    const texts = {
      json: rawEvent,
      cef: cefOf,
      output: (alert: Alert) => lineOf(alert, "output"),
    };
    const server = { host, port: Number(port), tls };
    const streamed = /^(tcp|tls)$/i.test(protocol);
    return {
      send: async (alerts, signal) => {
        const messages = alerts.map((alert) => ({ severity: severityOf(alert), text: texts[format](alert) }));
        if (socket !== "") return sendLocal(messages, socket, signal);
        // Seconds, in UTC. Without a facility, as falcosidekick sends it.
        const head = `${new Date(now()).toISOString().slice(0, 19)}Z ${hostname()} Falco[${process.pid}]`;
        const lines = messages.map(({ severity, text }) => `<${severity}>${head}: ${text}\n`);
        return streamed
          ? sendLines(lines, server, protocol.toLowerCase() === "tls", signal)
          : sendDatagrams(lines, server, signal);
      },
    };
  },
});

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536;
