import { bulkAnswer } from "../fakes/answers.ts";
import { httpClientServer, httpRefusals } from "../support/http-client-server.ts";

const mapping = { type: "document_parsing_exception", reason: "failed to parse field [hostname] of type [ip]" };

export default httpClientServer({
  at: (url, secret) => ({ hostport: url, username: "u", password: secret, customheaders: { "X-Key": secret } }),
  take: ({ body }, refuses) =>
    bulkAnswer(body, (_, document) => (refuses(document) ? { status: 400, error: mapping } : undefined)),
  refusals: {
    ...httpRefusals,
    "a document that is refused": {
      answer: ({ body }) => bulkAnswer(body, () => ({ status: 400, error: mapping })),
      reason: "invalid",
      retryable: false,
    },
    "a document that comes too soon": {
      answer: ({ body }) => bulkAnswer(body, () => ({ status: 429, error: { type: "es_rejected_execution" } })),
      reason: "rate_limited",
      retryable: true,
    },
    "an answer for fewer documents": {
      answer: { body: '{"took":1,"errors":false,"items":[]}' },
      reason: "bad_reply",
      retryable: true,
    },
  },
  part: { reason: "invalid", retryable: false },
  plainHttp: true,
});
