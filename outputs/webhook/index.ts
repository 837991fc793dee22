import { rawEvent } from "../../src/sdk/alert.ts";
import { DeliveryError } from "../../src/sdk/errors.ts";
import { pairs, secret, text, url } from "../../src/sdk/fields.ts";
import { headerFaults, isMethod, jsonHeaders, mergeHeaders } from "../../src/sdk/http.ts";
import { loopHeader, loopMark } from "../../src/sdk/loop.ts";
import { remember } from "../../src/sdk/message.ts";
import { type Alert, defineHttpOutput } from "../../src/sdk/output.ts";
import { compileBody, templateFaults } from "../../src/sdk/template/message.ts";
import { TemplateError } from "../../src/sdk/template/template.ts";
import { signedHeaders } from "./signature.ts";

export default defineHttpOutput({
  name: "webhook",
  display: "Webhook",
  category: "web",
  about: "Any HTTP endpoint: one request per alert, its raw JSON or a template of yours as the body.",
  fields: {
    address: url("URL that alerts are sent to.", { secret: true }),
    method: text("Method of the request: POST, PUT, PATCH, DELETE, and GET together with body.", "POST"),
    customheaders: pairs("Headers added to the request; they may replace the standard ones.", { secret: true }),
    body: text("Go template of the body in place of the raw JSON; `json` writes any value as JSON.", "", { raw: true }),
    "signing.secret": secret("Secret of the signature; set, every request is signed with HMAC-SHA256."),
    "signing.previoussecret": secret("Secret that is being replaced: requests bear a signature by each."),
  },
  example: { address: "http://127.0.0.1:8080/alerts", customheaders: { "X-Team": "security" } },
  enabled: (config) => config.address !== "",
  fromFalco: ({ name, values, json }) =>
    name === "http_output"
      ? {
          address: values.url,
          customheaders: {
            "User-Agent": values.user_agent,
            [loopHeader]: loopMark(String(values.url)),
            ...(!json && { "Content-Type": "text/plain" }),
          },
          ...(!json && { body: "{{ .Output }}" }),
        }
      : undefined,
  check: (config) => [
    ...headerFaults("customheaders", config.customheaders),
    ...templateFaults("body", config.body, compileBody),
  ],
  warn: ({ method, body }) =>
    method === "" || methodOf(method, body) === method.toUpperCase()
      ? []
      : [`method: requests are sent as POST, not as ${method}`],
  request: ([alert], config, { now }) => {
    const body = config.body ? filled(config.body, alert) : `${rawEvent(alert)}\n`;
    const signature = signedHeaders(body, [config["signing.secret"], config["signing.previoussecret"]], now);
    return {
      url: config.address,
      method: methodOf(config.method, config.body),
      headers: mergeHeaders(jsonHeaders, config.customheaders, signature),
      body,
    };
  },
});

/** GET carries no alert unless its receiver was made for that: falcosidekick sends POST. */
const methodOf = (written: string, body: string) => {
  const method = written.toUpperCase();
  return isMethod(method) && (method !== "GET" || body !== "") ? method : "POST";
};

const compiled = remember(compileBody);

const filled = (template: string, alert: Alert): string => {
  try {
    return compiled(template)(alert);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new DeliveryError("the body's template fails on this alert", { reason: "invalid", retryable: false });
  }
};
