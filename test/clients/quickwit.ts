import { httpClientServer, httpRefusals } from "../support/http-client-server.ts";

export default httpClientServer({
  at: (url, secret) => ({ hostport: url, customheaders: { "X-Key": secret } }),
  take: () => ({ body: '{"num_docs_for_processing":1,"num_ingested_docs":1,"num_rejected_docs":0}' }),
  refusals: {
    ...httpRefusals,
    "a document that is rejected": {
      answer: { body: '{"num_docs_for_processing":1,"num_ingested_docs":0,"num_rejected_docs":1}' },
      reason: "invalid",
      retryable: false,
    },
  },
  lacks: { partial: "Quickwit counts what it rejects and does not say which documents these are" },
  plainHttp: true,
});
