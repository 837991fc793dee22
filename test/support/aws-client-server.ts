import { awsAnswer } from "../fakes/answers.ts";
import type { Received } from "../fakes/http-sink.ts";
import type { Settings } from "./client-server.ts";
import { httpClientServer } from "./http-client-server.ts";

const says = (status: number, type: string) => ({
  status,
  headers: { "content-type": "application/json", "x-amzn-errortype": type },
  body: JSON.stringify({ __type: type, message: "no" }),
});

/** AWS tells throttling and expired tokens as HTTP 400: the name of the error decides. */
const awsRefusals = {
  "a throttled request": { answer: says(400, "ThrottlingException"), reason: "rate_limited", retryable: true },
  "429 with Retry-After": {
    answer: { ...says(429, "TooManyRequestsException"), retryAfter: 7 },
    reason: "rate_limited",
    retryable: true,
    retryAfterMs: 7000,
  },
  "a token that expired": { answer: says(400, "ExpiredTokenException"), reason: "auth_error", retryable: true },
  "a role without the right": { answer: says(403, "AccessDeniedException"), reason: "auth_error", retryable: true },
  "nothing of that name": { answer: says(404, "ResourceNotFoundException"), reason: "not_found", retryable: false },
  "a value that is none": {
    answer: says(400, "InvalidParameterValueException"),
    reason: "client_error",
    retryable: false,
  },
  "a request that is too large": {
    answer: says(413, "RequestTooLargeException"),
    reason: "too_large",
    retryable: false,
  },
  "a fault of its own": { answer: says(500, "InternalFailure"), reason: "server_error", retryable: true },
} as const;

type Parts = Parameters<typeof httpClientServer>[0];

/** SQS or Lambda. */
export const awsClientServer = (
  at: (url: string) => Settings,
  { refusals, part }: Partial<Pick<Parts, "refusals" | "part">> = {},
) =>
  httpClientServer({
    at: (url, secret) => ({
      region: "us-east-1",
      accesskeyid: `AKIA${secret}`,
      secretaccesskey: secret,
      checkidentity: false,
      ...at(url),
    }),
    take: (request: Received, refuses) =>
      awsAnswer({ ...request, path: request.url, query: "" }, (text) =>
        refuses(text) ? { Code: "InvalidMessageContents", SenderFault: true } : undefined,
      ),
    refusals: { ...awsRefusals, ...refusals },
    ...(part && { part }),
  });
