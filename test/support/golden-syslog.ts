import { hostname } from "node:os";
import type { HttpCall } from "../../src/sdk/http.ts";
import { openSyslog } from "../fakes/syslog.ts";
import { decodeInput, loadInstance } from "./golden-hub.ts";
import type { GoldenCase, GoldenRequest } from "./golden-replay.ts";
import { openSender, testHost } from "./senders.ts";
import { until } from "./until.ts";

/** What the hub sends to a syslog server for a case, with what differs from run to run masked. */
export const replaySyslog = async (golden: GoldenCase, now: number): Promise<readonly GoldenRequest[]> => {
  const server = await openSyslog();
  try {
    const port = /protocol: udp/.test(golden.config) ? server.ports.udp : server.ports.tcp;
    const config = golden.config.replaceAll(/\$\{[A-Z]+_PORT\}/g, String(port));
    const { output, config: settings, hub } = await loadInstance(golden.output, config, golden.env);
    const alert = decodeInput(golden.input ?? "", hub);
    const refuse: HttpCall = () => Promise.reject(new Error("not over HTTP"));
    const sender = await openSender(
      output,
      settings,
      testHost(refuse, () => now),
    );
    await sender.send([alert], AbortSignal.timeout(10_000));
    await sender.close?.();
    await until("the server heard", () => server.heard.length > 0);
    return server.heard.map(({ protocol, text }) => ({
      method: protocol,
      path: "",
      query: "",
      headers: {},
      body: text
        .replaceAll(alert.uuid, "<UUID>")
        .replace(new RegExp(`^<(\\d)>\\S+ ${RegExp.escape(hostname())} Falco\\[${process.pid}\\]`), masked),
    }));
  } finally {
    await server.close();
  }
};

const masked = "<$1><NOW RFC3339> <LOCAL HOSTNAME> Falco[<PID>]";
