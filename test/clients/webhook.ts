import { httpClientServer, httpRefusals } from "../support/http-client-server.ts";

/** The measure for the others: what an HTTP output makes of a fault is what they are to make of it. */
export default httpClientServer({
  at: (url, secret) => ({ address: `${url}/${secret}`, customheaders: { "X-Key": secret } }),
  take: () => ({}),
  refusals: httpRefusals,
  plainHttp: true,
});
